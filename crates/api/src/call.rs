//! Calls by name, for the command line: `carillon call METHOD JSON`.

use crate::auth::Credentials;
use crate::door::json;
use crate::door::json::address::Paging;
use crate::fault::{Code, Fault};
use crate::registry;
use crate::serve::{Call, Failure, Wire, serve};
use crate::state::ApiState;
use crate::tree::Builder;

/// Calls a method with a JSON object of its arguments. Answers the body: `{"data": …}`, or a problem as the error.
pub async fn call(
    state: &ApiState,
    caller: Credentials,
    method_name: &str,
    arguments: &str,
) -> Result<String, String> {
    let problem = |fault: &Fault, method| json::problem(method, fault, None).1;
    let Some(method) = registry::by_name(method_name) else {
        return Err(problem(
            &Fault::coded(Code::NotFound, format!("there is no method {method_name}")),
            None,
        ));
    };
    let mut builder = Builder::new(&method.input);
    let arguments = if arguments.trim().is_empty() {
        "{}"
    } else {
        arguments
    };
    if let Err(unreadable) = json::arguments(arguments, &mut builder, &method.input) {
        return Err(problem(
            &Fault::coded(Code::Malformed, unreadable.to_string()),
            Some(method),
        ));
    }
    let call = Call {
        method,
        tree: builder.finish(arguments.to_owned()),
        credentials: caller,
        wire: Wire::Json,
        trusted: true,
        single: false,
        paging: Paging::default(),
        if_match: None,
        key: None,
    };
    match serve(state, call).await {
        Ok(served) if served.body.is_empty() => Ok("{\"data\":null}".to_owned()),
        Ok(served) => Ok(served.body),
        Err(Failure::Fault(fault)) => Err(problem(&fault, Some(method))),
        Err(Failure::Denied) => Err(problem(&Fault::coded(Code::FailedAuthentication, ""), None)),
        Err(Failure::Rate(_)) => Err(problem(&Fault::coded(Code::TooManyRequests, ""), None)),
        Err(Failure::Unavailable) => {
            Err(problem(&Fault::coded(Code::ServiceUnavailable, ""), None))
        }
        Err(Failure::Internal(reference)) => Err(json::problem(
            None,
            &Fault::coded(Code::InternalError, ""),
            Some(&reference),
        )
        .1),
    }
}
