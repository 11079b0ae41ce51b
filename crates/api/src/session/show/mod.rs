//! showCurrentSession: who calls.

use crate::context::Context;
use crate::entity::Names;
use crate::entity::user::{SESSION, detail};
use crate::fault::Outcome;
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::Shape;
use crate::tree::View;
use crate::value::{Answer, Object};
use carillon_store::Snapshot;
use serde_json::json;

/// showCurrentSession.
pub static METHOD: Method = Method {
    name: "showCurrentSession",
    service: Service::Authentication,
    soap: true,
    doc: "Shows who calls. There is no login call: every call carries its credentials.",
    access: access::EVERYBODY,
    retry: Retry::Safe,
    input: Shape::arguments(&[]),
    output: Output::One(&SESSION),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::get("/session"),
    run: Run::Read(handle),
    example: || json!({}),
};

fn handle(snapshot: &dyn Snapshot, context: &Context, _arguments: View<'_>) -> Outcome<Answer> {
    let user = detail(Names::new(snapshot, context), &context.caller.user)?;
    Ok(Answer::one(
        Object::new(&SESSION)
            .set("user", user)
            .set("startTime", context.now),
    ))
}
