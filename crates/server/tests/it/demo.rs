//! The demo, as a new user meets it.

use crate::support::binary;

#[test]
fn the_demo_runs_a_campaign_and_ends() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = binary()
        .args(["demo", "--exit", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path())
        .output()
        .expect("the binary runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let count = |label: &str| {
        let line = said
            .lines()
            .find(|line| line.trim_start().starts_with(label));
        let count = line
            .and_then(|line| line.split_whitespace().last())
            .and_then(|text| text.parse::<i64>().ok());
        count.unwrap_or_else(|| panic!("no {label} in {said}"))
    };
    // 3,106 rows: three without a number, one a person met twice.
    assert!(
        said.contains("3106 rows = 3102 stored + 1 merged + 3 rejected"),
        "{said}"
    );
    assert_eq!(
        count("reached") + count("failed") + count("filtered") + count("waiting"),
        3_102,
        "{said}"
    );
    assert_eq!(count("SuppressedDevice"), 3, "{said}");
    assert_eq!(
        count("waiting"),
        295,
        "Germany and Sweden are closed: {said}"
    );
    assert!(
        count("reached") > 2_000 && count("failed") > 0 && count("opt-outs") > 0,
        "{said}"
    );
}
