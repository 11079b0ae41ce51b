//! addToSuppression: item-wise; in force for every dispatch after the answer.

use crate::context::Context;
use crate::entity::list::{LIST, SUPPRESSION_ENTRY, read_entry};
use crate::fault::{Code, Fault, Outcome, Row, Stop};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::list::List;
use carillon_model::{ListId, ListType, Severity, limits};
use carillon_store::Transaction;
use serde_json::json;

/// addToSuppression.
pub static METHOD: Method = Method {
    name: "addToSuppression",
    service: Service::ContactManagement,
    soap: true,
    doc: "Adds entries to a suppression list, item-wise, at most 1,000. Adding again replaces the expiration. An entry is in \
          force for every dispatch after the answer.",
    access: access::WRITERS,
    retry: Retry::Idempotent,
    input: Shape::arguments(&[
        Field::new("list", Type::Entity(&LIST), "The suppression list.").required(),
        Field::new("entries", Type::Entity(&SUPPRESSION_ENTRY), "The entries.")
            .made()
            .many(limits::ITEMS_MAX)
            .required(),
    ]),
    output: Output::None,
    codes: None,
    rule: None,
    prepare: None,
    http: Http::post("/lists/{list}/suppressions").status(204),
    run: Run::Write(handle),
    example: || {
        json!({
            "list": { "internalId": "401" },
            "entries": [{ "device": "+12075550199", "channel": "text", "reason": "asked by phone" }]
        })
    },
};

/// The suppression list that a call names.
pub fn suppression_list(list: List, view: View<'_>) -> Outcome<List> {
    if list.list_type == ListType::Suppression {
        Ok(list)
    } else {
        Err(Fault::of(Row::DA, view.path(), "not a suppression list").into())
    }
}

fn handle(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
) -> Outcome<Answer> {
    let view = arguments.get("list").expect("stage 1 found it");
    let list = suppression_list(
        context.find_writable::<List>(transaction, view)?.entity,
        view,
    )?;
    let owner = context.owner(transaction, list.owner)?;
    let mut answer = Answer::none();
    let mut entries = Vec::new();
    for (index, item) in arguments.items("entries").enumerate() {
        match read_entry(context, item, &owner) {
            Ok(entry) => entries.push(entry),
            Err(Stop::Fault(fault)) => {
                let code = fault.code(None);
                let message = format!(
                    "[{index}] {} {}",
                    code.text(),
                    fault.message(code, &fault.path.soap())
                );
                answer.warn(Code::ItemFailed, Severity::Warning, message);
            }
            Err(stop) => return Err(stop),
        }
    }
    transaction.put_suppressions(ListId(list.base.internal_id), &entries)?;
    let detail = format!("{{\"entries\":{}}}", entries.len());
    context.audit(
        transaction,
        list.owner,
        format!("list {}", list.base.internal_id),
        detail,
    )?;
    Ok(answer)
}
