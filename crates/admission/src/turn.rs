//! Whose turn it is: which pass takes a contact (`entities.md` 9.2). Pure; the days and windows of a turn are
//! [`carillon_compliance::window::Window::turn`].

use carillon_model::pass::Pass;
use carillon_model::run::PassResult;
use carillon_model::{AcceptContactsFrom, AttemptResult, ResultKind};

/// Whether the pass at `index` takes a contact with these results behind it.
pub fn accepts(passes: &[Pass], index: usize, results: &[PassResult]) -> bool {
    if index == 0 {
        return true;
    }
    let pass = &passes[index];
    if pass.accepts_undelivered() {
        return !results.iter().any(|past| past.result.is_delivered());
    }
    let from = match pass.accept_contacts_from {
        AcceptContactsFrom::AllPasses => 0,
        AcceptContactsFrom::PreviousPass => index - 1,
    };
    let earlier = || {
        results
            .iter()
            .rev()
            .filter(|past| (from..index).contains(&usize::from(past.pass)))
    };
    ResultKind::ALL.iter().any(|kind| {
        let last = match kind {
            ResultKind::Script => earlier().find_map(|past| past.script),
            _ => earlier()
                .find(|past| {
                    passes
                        .get(usize::from(past.pass))
                        .is_some_and(|pass| pass.channel.result_kind() == *kind)
                })
                .map(|past| past.result),
        };
        pass.accepted(*kind)
            .contains(&last.unwrap_or(AttemptResult::NotAttempted))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use carillon_model::{ChannelType, PassId};

    fn result(pass: u16, result: AttemptResult) -> PassResult {
        PassResult {
            pass,
            result,
            script: None,
        }
    }

    #[test]
    fn passes_accept_by_last_results() {
        use AttemptResult::*;
        let mut passes: Vec<Pass> = [ChannelType::Voice, ChannelType::Voice, ChannelType::Text]
            .map(|channel| Pass::new(PassId(1), "P", channel))
            .into();
        let open: &[PassResult] = &[];
        assert!(accepts(&passes, 1, open), "never tried, all sets empty");
        assert!(accepts(&passes, 1, &[result(0, Busy)]));
        assert!(!accepts(&passes, 1, &[result(0, DeliveredPerson)]));
        assert!(
            accepts(&passes, 0, &[result(0, DeliveredPerson)]),
            "pass 1 takes everybody"
        );

        passes[2].accept_voice_results = vec![Busy];
        assert!(accepts(&passes, 2, &[result(0, NoAnswer), result(1, Busy)]));
        assert!(
            !accepts(&passes, 2, &[result(0, Busy), result(1, NoAnswer)]),
            "the last one counts"
        );
        assert!(accepts(&passes, 2, &[result(0, Busy)]), "any earlier pass");
        assert!(!accepts(&passes, 2, open));
        passes[2].accept_contacts_from = AcceptContactsFrom::PreviousPass;
        assert!(
            !accepts(&passes, 2, &[result(0, Busy)]),
            "not the previous pass"
        );

        passes[2].accept_voice_results = vec![NotAttempted];
        assert!(
            accepts(&passes, 2, open),
            "never tried is NotAttempted in every kind"
        );
        passes[2].accept_script_results = vec![Failed];
        let with_script = PassResult {
            pass: 1,
            result: DeliveredPerson,
            script: Some(Failed),
        };
        assert!(accepts(&passes, 2, &[with_script]), "sets are joined by or");
    }
}
