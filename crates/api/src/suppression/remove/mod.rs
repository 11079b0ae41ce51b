//! removeFromSuppression: item-wise.

use super::add::suppression_list;
use crate::context::Context;
use crate::entity::list::{LIST, SUPPRESSION_ENTRY, read_key};
use crate::fault::{Code, Outcome, Stop};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::list::List;
use carillon_model::{ListId, Severity, limits};
use carillon_store::Transaction;
use serde_json::json;

/// removeFromSuppression.
pub static METHOD: Method = Method {
    name: "removeFromSuppression",
    service: Service::ContactManagement,
    soap: true,
    doc: "Removes the entries of devices or Client IDs from a suppression list, on every channel, item-wise. One that is not \
          there gives a warning ITEM_FAILED.",
    access: access::WRITERS,
    retry: Retry::Idempotent,
    input: Shape::arguments(&[
        Field::new("list", Type::Entity(&LIST), "The suppression list.").required(),
        Field::new("entries", Type::Entity(&SUPPRESSION_ENTRY), "Whom.")
            .made()
            .many(limits::ITEMS_MAX)
            .required(),
    ]),
    output: Output::None,
    codes: None,
    rule: None,
    prepare: None,
    http: Http::post("/lists/{list}/suppressions:remove").status(204),
    run: Run::Write(handle),
    example: || json!({ "list": { "internalId": "401" }, "entries": [{ "device": "+12075550112" }] }),
};

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
    let mut keys = Vec::new();
    let mut places = Vec::new();
    for (index, item) in arguments.items("entries").enumerate() {
        match read_key(item, owner.settings.country()) {
            Ok((key, _)) => {
                keys.push(key);
                places.push(index);
            }
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
    let removed = transaction.remove_suppressions(ListId(list.base.internal_id), &keys)?;
    for (index, removed) in places.into_iter().zip(removed) {
        if !removed {
            let message = format!(
                "[{index}] {} there is no such entry",
                Code::ObjectNotExists.text()
            );
            answer.warn(Code::ItemFailed, Severity::Warning, message);
        }
    }
    let detail = format!("{{\"entries\":{}}}", keys.len());
    context.audit(
        transaction,
        list.owner,
        format!("list {}", list.base.internal_id),
        detail,
    )?;
    Ok(answer)
}
