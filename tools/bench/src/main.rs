//! The benchmarks of `docs/performance.md`: each measures Carillon beside a limit or a peer in the same run, prints the
//! disk's sync rate before and after, the load of the machine, and CPU per unit of work. Run by `cargo xtask bench`.

mod attempts;
mod batches;
mod claims;
mod kannel;
mod machine;
mod server;
mod sms;

/// A benchmark that could not be run, or failed.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

type Benchmark = fn() -> Result<(), Failure>;

fn main() -> Result<(), Failure> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    let all: [(&str, Benchmark); 4] = [
        ("attempts", attempts::run),
        ("claims", claims::run),
        ("batches", batches::run),
        ("sms", sms::run),
    ];
    for (name, run) in all {
        if is_wanted(name) {
            println!("## {name}\n");
            println!("before: {}", machine::mood()?);
            run()?;
            println!("after: {}\n", machine::mood()?);
        }
    }
    Ok(())
}

/// The median of figures.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
