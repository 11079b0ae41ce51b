//! listSuppressionEntries.

use super::add::suppression_list;
use crate::context::Context;
use crate::entity::list::{LIST, SUPPRESSION_ENTRY, entry_detail, read_key};
use crate::fault::Outcome;
use crate::limits::RESULT_MAX;
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::sample;
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::ListId;
use carillon_model::list::{List, SuppressionEntry, SuppressionKey};
use carillon_store::Snapshot;
use serde_json::json;

/// listSuppressionEntries.
pub static METHOD: Method = Method {
    name: "listSuppressionEntries",
    service: Service::ContactManagement,
    soap: true,
    doc: "Lists the entries of a suppression list by sample. SOAP answers at most 1,000.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[
        Field::new("list", Type::Entity(&LIST), "The suppression list.").required(),
        Field::new(
            "sample",
            Type::Entity(&SUPPRESSION_ENTRY),
            "Which; null = all.",
        )
        .sample()
        .c(),
    ]),
    output: Output::Many(&SUPPRESSION_ENTRY),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::get("/lists/{list}/suppressions").query(&[
        ("device", "sample.device"),
        ("clientId", "sample.clientId"),
        ("channel", "sample.channel"),
    ]),
    run: Run::Read(handle),
    example: || json!({ "list": { "internalId": "401" } }),
};

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let view = arguments.get("list").expect("stage 1 found it");
    let list = suppression_list(context.find::<List>(snapshot, view, None)?.entity, view)?;
    let owner = context.owner(snapshot, list.owner)?;
    let sample = arguments.get("sample");
    // A device or Client ID without a star names one key; its normalised form is looked for.
    let exact = match sample {
        Some(sample)
            if !sample
                .text("device")
                .or(sample.text("clientId"))
                .unwrap_or("*")
                .contains('*') =>
        {
            Some(read_key(sample, owner.settings.country())?.0)
        }
        _ => None,
    };
    let mut found: Vec<SuppressionEntry> = Vec::new();
    let mut after: Option<SuppressionKey> = None;
    loop {
        let chunk =
            snapshot.suppression_page(ListId(list.base.internal_id), after.as_ref(), RESULT_MAX)?;
        let full = chunk.len() == RESULT_MAX;
        after = chunk.last().map(|entry| entry.key.clone());
        found.extend(chunk.into_iter().filter(|entry| match (&exact, sample) {
            (Some(key), _) => entry.key == *key,
            (None, Some(sample)) => {
                sample::matches(sample, &entry_detail(context, entry, &owner), false)
            }
            (None, None) => true,
        }));
        if !full {
            break;
        }
    }
    found.sort_by_key(page_key);
    let (page, cursor) = context.page(found, RESULT_MAX, page_key)?;
    Ok(Answer::many(
        page.iter()
            .map(|entry| entry_detail(context, entry, &owner))
            .collect(),
        cursor,
    ))
}

/// Devices by number, then Client IDs; a key may have an entry per channel.
fn page_key(entry: &SuppressionEntry) -> String {
    let channel = entry.channel.map_or(0, carillon_model::ChannelType::number);
    match &entry.key {
        SuppressionKey::Device(key) => {
            format!("0{:020}{channel}", i128::from(key.0) - i128::from(i64::MIN))
        }
        SuppressionKey::ClientId(client) => format!("1{client}\n{channel}"),
    }
}
