//! showSystemInfo.

use crate::context::Context;
use crate::door::soap::namespace::VERSIONS;
use crate::fault::Outcome;
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::Shape;
use crate::tree::View;
use crate::value::{Answer, Data};
use carillon_store::Snapshot;
use serde_json::json;
use std::collections::BTreeMap;

/// showSystemInfo.
pub static METHOD: Method = Method {
    name: "showSystemInfo",
    service: Service::PlatformManagement,
    soap: true,
    doc: "Shows version, apiVersions, time, timeZone and applicationName. It needs valid credentials, and no role.",
    access: access::EVERYBODY,
    retry: Retry::Safe,
    input: Shape::arguments(&[]),
    output: Output::Attributes,
    codes: None,
    rule: None,
    prepare: None,
    http: Http::get("/system-info"),
    run: Run::Read(handle),
    example: || json!({}),
};

fn handle(_snapshot: &dyn Snapshot, context: &Context, _arguments: View<'_>) -> Outcome<Answer> {
    let settings = &context.caller.home.settings;
    let versions: Vec<String> = VERSIONS.iter().map(u16::to_string).collect();
    let info = [
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("apiVersions", versions.join(",")),
        ("time", context.now.wire()),
        ("timeZone", settings.zone_name().to_owned()),
        (
            "applicationName",
            settings
                .application_name
                .clone()
                .unwrap_or_else(|| "Carillon".to_owned()),
        ),
    ];
    let info: BTreeMap<String, String> = info
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Ok(Answer {
        data: Data::Attributes(info),
        ..Answer::default()
    })
}
