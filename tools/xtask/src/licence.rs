//! Licence expressions (SPDX): whether what is allowed satisfies one.

/// Whether an expression is satisfied by the allowed licences. `/` is the old spelling of OR.
pub fn is_allowed(expression: &str, allowed: &dyn Fn(&str) -> bool) -> Result<bool, String> {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let verdict = either(&mut rest, allowed);
    match (verdict, rest) {
        (Some(verdict), []) => Ok(verdict),
        _ => Err(format!("not a licence expression: {expression}")),
    }
}

/// `A OR B`
fn either(rest: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let mut verdict = both(rest, allowed)?;
    while take(rest, "OR") {
        verdict |= both(rest, allowed)?;
    }
    Some(verdict)
}

/// `A AND B`
fn both(rest: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let mut verdict = one(rest, allowed)?;
    while take(rest, "AND") {
        verdict &= one(rest, allowed)?;
    }
    Some(verdict)
}

/// `(A …)`, `A` or `A WITH exception`
fn one(rest: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    if take(rest, "(") {
        let verdict = either(rest, allowed)?;
        return take(rest, ")").then_some(verdict);
    }
    let (licence, after) = rest.split_first()?;
    if ["OR", "AND", "WITH", ")"].contains(licence) {
        return None;
    }
    *rest = after;
    if !take(rest, "WITH") {
        // `A+` is A or any later version of it.
        return Some(allowed(licence.strip_suffix('+').unwrap_or(licence)));
    }
    let (exception, after) = rest.split_first()?;
    *rest = after;
    Some(allowed(&format!("{licence} WITH {exception}")))
}

fn take(rest: &mut &[&str], word: &str) -> bool {
    match rest.split_first() {
        Some((first, after)) if *first == word => {
            *rest = after;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    #[test]
    fn expressions_are_judged() {
        let allowed =
            |licence: &str| ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].contains(&licence);
        for (expression, verdict) in [
            ("MIT", Ok(true)),
            ("GPL-3.0", Ok(false)),
            ("GPL-3.0 OR MIT", Ok(true)),
            ("MIT/GPL-3.0", Ok(true)),
            ("ISC+", Ok(true)),
            ("MIT AND GPL-3.0", Ok(false)),
            ("(GPL-3.0 OR MIT) AND ISC", Ok(true)),
            ("GPL-3.0 OR MIT AND BSD-3-Clause", Ok(false)),
            ("Apache-2.0 WITH LLVM-exception", Ok(true)),
            ("Apache-2.0", Ok(false)),
        ] {
            assert_eq!(is_allowed(expression, &allowed), verdict, "{expression}");
        }
        for broken in ["", "MIT OR", "(MIT", "MIT MIT", "WITH MIT"] {
            assert!(is_allowed(broken, &allowed).is_err(), "{broken}");
        }
    }
}
