//! The HTTP side of both doors: which request goes where, headers in and out, bounds.

use crate::auth;
use crate::document;
use crate::door::body::{self, Unreadable};
use crate::door::json::{self, address};
use crate::door::soap::namespace::VERSIONS;
use crate::door::soap::{self, SoapFault};
use crate::fault::{Code, Fault};
use crate::limits;
use crate::method::{Body as MethodBody, Method, Retry, Service, Verb};
use crate::serve::{Call, Failure, Served, Wire, serve};
use crate::shape::Type;
use crate::state::ApiState;
use crate::tree::Builder;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method as Http, StatusCode, header};
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tracing::Instrument as _;

/// A listener's view of the API.
#[derive(Clone)]
struct Listener {
    state: ApiState,
    /// Clear-text secrets are taken: the listener is behind TLS or marked trusted (A5).
    trusted: bool,
}

/// Routes of both doors: `/SOAPAPI2/*` and `/api/v1/*`.
pub fn router(state: ApiState, trusted: bool) -> Router {
    Router::new()
        .route("/SOAPAPI2/{service}", any(soap_door))
        .route("/api/v1/openapi.json", any(openapi))
        .route("/api/v1/{*path}", any(json_door))
        .with_state(Listener { state, trusted })
}

const XML: &str = "text/xml; charset=utf-8";
const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

fn respond(status: u16, media_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

fn put(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

async fn read_body(request: Request) -> Result<(HeaderMap, Bytes), Unreadable> {
    let (parts, body) = request.into_parts();
    let declared = text(&parts.headers, header::CONTENT_LENGTH)
        .and_then(|length| length.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limits::BODY_BYTES_MAX) {
        return Err(Unreadable::TooBig);
    }
    let bytes = axum::body::to_bytes(body, limits::BODY_BYTES_MAX)
        .await
        .map_err(|error| {
            let mut source: Option<&dyn std::error::Error> = Some(&error);
            while let Some(cause) = source {
                if cause.to_string().contains("length limit") {
                    return Unreadable::TooBig;
                }
                source = cause.source();
            }
            Unreadable::Malformed("the body could not be received".into())
        })?;
    let bytes = body::unpack(bytes, text(&parts.headers, header::CONTENT_ENCODING))?;
    Ok((parts.headers, bytes))
}

/// An Idempotency-Key that is 1 to 64 printable ASCII characters.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = key.to_str().unwrap_or_default();
    let legal = !key.is_empty()
        && key.len() <= limits::IDEMPOTENCY_KEY_MAX
        && key.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if legal {
        Ok(Some(key.to_owned()))
    } else {
        Err(Fault::coded(
            Code::ArgInvalidData,
            "Idempotency-Key is 1 to 64 printable ASCII characters",
        ))
    }
}

fn request_hash(pieces: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for piece in pieces {
        hash.update((piece.len() as u64).to_be_bytes());
        hash.update(piece);
    }
    hash.finalize().into()
}

// ---- SOAP ----

fn service_of(name: &str) -> Option<(Service, u16)> {
    VERSIONS.iter().find_map(|version| {
        let service = name.strip_suffix(&version.to_string())?;
        let service = Service::ALL.iter().find(|known| known.name() == service)?;
        Some((*service, *version))
    })
}

async fn soap_door(State(listener): State<Listener>, request: Request) -> Response {
    let name = request
        .uri()
        .path()
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    let Some((service, version)) = service_of(&name) else {
        return respond(404, "text/plain", "There is no such service or version\n");
    };
    let asks_wsdl = request
        .uri()
        .query()
        .is_some_and(|query| query.eq_ignore_ascii_case("wsdl"));
    if request.method() == Http::GET && asks_wsdl {
        let host = text(request.headers(), header::HOST)
            .unwrap_or("localhost")
            .to_owned();
        let scheme = text(request.headers(), "x-forwarded-proto")
            .filter(|scheme| *scheme == "https")
            .unwrap_or("http");
        let address = format!("{scheme}://{host}/SOAPAPI2/{name}");
        return respond(200, XML, document::wsdl(service, version, &address));
    }
    if request.method() != Http::POST {
        let mut response = respond(
            405,
            "text/plain",
            "Calls are POSTed; the WSDL is at ?wsdl\n",
        );
        put(&mut response, header::ALLOW, "GET, POST");
        return response;
    }
    let closes = text(request.headers(), header::CONNECTION)
        .is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let mut response = match soap_call(&listener, request, service, version).await {
        Ok(response) => response,
        Err(fault) => respond(fault.status, XML, soap::fault(&fault)),
    };
    if closes {
        put(&mut response, header::CONNECTION, "close");
    }
    response
}

/// The root part of a SOAP body, and what it includes.
fn soap_parts(headers: &HeaderMap, bytes: Bytes) -> Result<(Bytes, Vec<body::Part>), Unreadable> {
    let content_type = text(headers, header::CONTENT_TYPE).unwrap_or_default();
    if !content_type
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("multipart/")
    {
        return Ok((bytes, Vec::new()));
    }
    let mut parts = body::parts(&bytes, content_type)?;
    let start = body::parameter(content_type, "start")
        .map(|start| start.trim_matches(['<', '>']).to_owned());
    let root = start
        .and_then(|start| parts.iter().position(|part| part.id == start))
        .unwrap_or(0);
    if parts.is_empty() {
        return Err(Unreadable::Malformed("no part".into()));
    }
    let root = parts.remove(root);
    Ok((root.data, parts))
}

async fn soap_call(
    listener: &Listener,
    request: Request,
    service: Service,
    version: u16,
) -> Result<Response, SoapFault> {
    let (headers, bytes) = read_body(request).await?;
    let key = idempotency_key(&headers).map_err(|fault| SoapFault::client(fault.reason))?;
    let key = key.map(|key| (key, request_hash(&[&bytes])));
    let (root, parts) = soap_parts(&headers, bytes)?;
    let envelope = soap::read_envelope(body::xml_text(root)?, &parts, service, version)?;
    let method = envelope.method;
    let call = Call {
        method,
        tree: envelope.tree,
        credentials: envelope.credentials,
        wire: Wire::Soap(version),
        trusted: listener.trusted,
        paging: address::Paging::default(),
        single: false,
        if_match: None,
        key: key.filter(|_| method.retry == Retry::WithKey),
    };
    let span = tracing::info_span!("call", method = method.name, door = "soap");
    match serve(&listener.state, call).instrument(span).await {
        Ok(served) => {
            let mut response = respond(200, XML, served.body);
            if served.replayed {
                put(
                    &mut response,
                    HeaderName::from_static("idempotency-replayed"),
                    "true",
                );
            }
            Ok(response)
        }
        Err(failure) => soap_failure(method, version, failure),
    }
}

fn soap_failure(method: &Method, version: u16, failure: Failure) -> Result<Response, SoapFault> {
    match failure {
        Failure::Denied => Err(SoapFault::authentication()),
        Failure::Fault(fault) => match fault.code {
            Some(Code::IdempotencyInProgress | Code::IdempotencyKeyReused) => {
                Err(SoapFault::client(fault.message(fault.code(None), "")))
            }
            _ => Ok(respond(200, XML, soap::refusal(method, version, &fault))),
        },
        Failure::Rate(seconds) => {
            let fault = SoapFault::coded(429, "soapenv:Client", Code::TooManyRequests.title());
            let mut response = respond(429, XML, soap::fault(&fault));
            put(&mut response, header::RETRY_AFTER, &seconds.to_string());
            Ok(response)
        }
        Failure::Unavailable => {
            let fault = SoapFault::coded(503, "soapenv:Server", Code::ServiceUnavailable.title());
            let mut response = respond(503, XML, soap::fault(&fault));
            put(&mut response, header::RETRY_AFTER, "5");
            Ok(response)
        }
        Failure::Internal(reference) => Err(SoapFault {
            status: 500,
            code: "soapenv:Server",
            text: "Internal error".into(),
            reference: Some(reference),
        }),
    }
}

// ---- JSON ----

async fn openapi(request: Request) -> Response {
    if request.method() != Http::GET {
        return method_not_allowed(&[Verb::Get]);
    }
    respond(200, JSON, document::openapi())
}

fn method_not_allowed(verbs: &[Verb]) -> Response {
    let (_, body) = json::problem(None, &Fault::coded(Code::MethodNotAllowed, ""), None);
    let mut response = respond(405, PROBLEM, body);
    let allowed: Vec<&str> = verbs.iter().map(|verb| verb.text()).collect();
    put(&mut response, header::ALLOW, &allowed.join(", "));
    response
}

async fn json_door(State(listener): State<Listener>, request: Request) -> Response {
    let verb = match *request.method() {
        Http::GET => Some(Verb::Get),
        Http::POST => Some(Verb::Post),
        Http::PATCH => Some(Verb::Patch),
        Http::DELETE => Some(Verb::Delete),
        _ => None,
    };
    let path = request
        .uri()
        .path()
        .strip_prefix("/api/v1")
        .unwrap_or_default()
        .to_owned();
    let found = match address::find(verb, &path) {
        address::Found::Method(found) => found,
        address::Found::OtherVerbs(verbs) => return method_not_allowed(&verbs),
        address::Found::Nothing => {
            let (_, body) = json::problem(None, &Fault::coded(Code::NotFound, ""), None);
            return respond(404, PROBLEM, body);
        }
    };
    let method = found.method;
    let Some(query) = address::parse_query(request.uri().query().unwrap_or_default()) else {
        return json_failure(
            Some(method),
            Fault::coded(Code::Malformed, "the query cannot be read").into(),
        );
    };
    let found = address::narrow(found, method.http.verb, &path, &query);
    let method = found.method;
    match json_call(&listener, request, found, &query).await {
        Ok(served) => json_answer(served),
        Err(failure) => json_failure(Some(method), failure),
    }
}

impl From<Unreadable> for Failure {
    fn from(unreadable: Unreadable) -> Self {
        let code = if unreadable == Unreadable::TooBig {
            Code::TooLarge
        } else {
            Code::Malformed
        };
        Fault::coded(code, unreadable.to_string()).into()
    }
}

async fn json_call(
    listener: &Listener,
    request: Request,
    found: address::Address,
    query: &[(String, String)],
) -> Result<Served, Failure> {
    let method = found.method;
    let target = request
        .uri()
        .path_and_query()
        .map(ToString::to_string)
        .unwrap_or_default();
    let credentials = auth::from_header(text(request.headers(), header::AUTHORIZATION));
    let (headers, bytes) = read_body(request).await?;
    let key = idempotency_key(&headers)?;
    let key = key
        .filter(|_| method.http.verb == Verb::Post)
        .map(|key| (key, request_hash(&[target.as_bytes(), &bytes])));
    let (tree, paging) = json_tree(&found, query, &headers, bytes)?;
    let call = Call {
        method,
        tree,
        credentials,
        wire: Wire::Json,
        trusted: listener.trusted,
        single: found.second && method.http.verb == Verb::Get,
        paging,
        if_match: text(&headers, header::IF_MATCH).map(str::to_owned),
        key,
    };
    let span = tracing::info_span!("call", method = method.name, door = "json");
    serve(&listener.state, call).instrument(span).await
}

/// Reads path, query and body into the tree of arguments.
fn json_tree(
    found: &address::Address,
    query: &[(String, String)],
    headers: &HeaderMap,
    bytes: Bytes,
) -> Result<(crate::tree::Tree, address::Paging), Failure> {
    let method = found.method;
    let mut builder = Builder::new(&method.input);
    let content_type = text(headers, header::CONTENT_TYPE)
        .unwrap_or(JSON)
        .to_ascii_lowercase();
    let is_json =
        content_type.starts_with(JSON) || content_type.starts_with("application/merge-patch+json");
    let mut body_text = String::new();
    match method.http.body {
        MethodBody::None => {}
        MethodBody::Bytes(_, argument) => set_bytes(&mut builder, method, argument, &bytes),
        MethodBody::Arguments if content_type.starts_with("multipart/form-data") => {
            form_data(&mut builder, method, &bytes, &content_type_of(headers))?;
        }
        _ if !is_json && !bytes.is_empty() => {
            return Err(Unreadable::Malformed("the media type is application/json".into()).into());
        }
        MethodBody::Arguments if bytes.is_empty() => {}
        MethodBody::Arguments => {
            body_text = body::json_text(bytes)?;
            json::arguments(&body_text, &mut builder, &method.input)?;
        }
        MethodBody::Entity(argument) => {
            body_text = body::json_text(bytes)?;
            let (index, shape) = entity_argument(method, argument);
            let root = crate::tree::ROOT;
            let node = builder
                .child(root, index)
                .unwrap_or_else(|| builder.object(root, index, shape));
            json::entity(&body_text, &mut builder, node, shape)?;
        }
    }
    // The body may repeat what the address says: a shown object can be sent back.
    let paging = address::fill(&mut builder, found, query, &body_text)?;
    Ok((builder.finish(body_text), paging))
}

fn content_type_of(headers: &HeaderMap) -> String {
    text(headers, header::CONTENT_TYPE)
        .unwrap_or_default()
        .to_owned()
}

fn entity_argument(
    method: &'static Method,
    argument: &str,
) -> (usize, &'static crate::shape::Shape) {
    let index = method
        .input
        .index_of(argument)
        .expect("the binding names an argument");
    match method.input.field(index).map(|field| field.ty) {
        Some(Type::Entity(shape)) => (index, shape),
        _ => panic!("the body of {} is an entity", method.name),
    }
}

fn set_bytes(builder: &mut Builder, method: &'static Method, argument: &str, bytes: &[u8]) {
    use base64::Engine as _;
    let index = method
        .input
        .index_of(argument)
        .expect("the binding names an argument");
    if !bytes.is_empty() {
        let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
        builder.scalar(
            crate::tree::ROOT,
            index,
            "",
            std::borrow::Cow::Owned(encoded),
        );
    }
}

/// A form: fields by the names of arguments (dotted for what is inside), files as names and contents of a Script.
fn form_data(
    builder: &mut Builder,
    method: &'static Method,
    bytes: &Bytes,
    content_type: &str,
) -> Result<(), Failure> {
    for part in body::parts(bytes, content_type)? {
        if part.file_name.is_empty() {
            let value = String::from_utf8_lossy(&part.data).into_owned();
            builder.set_path(&part.name, &value, "");
            continue;
        }
        let names = method.input.index_of("contentNames");
        let Some(names) = names else {
            builder.unknown(crate::tree::ROOT, &part.name);
            continue;
        };
        builder.scalar(
            crate::tree::ROOT,
            names,
            "",
            std::borrow::Cow::Owned(part.file_name.clone()),
        );
        set_bytes(builder, method, "contentData", &part.data);
    }
    Ok(())
}

fn json_answer(served: Served) -> Response {
    let mut response = if served.body.is_empty() {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    } else {
        // 204 carries no body, and warnings must be told.
        let status = if served.status == 204 {
            200
        } else {
            served.status
        };
        respond(status, JSON, served.body)
    };
    if let Some(location) = &served.location {
        put(&mut response, header::LOCATION, location);
    }
    if let Some(etag) = &served.etag {
        put(&mut response, header::ETAG, etag);
    }
    if served.replayed {
        put(
            &mut response,
            HeaderName::from_static("idempotency-replayed"),
            "true",
        );
    }
    response
}

fn json_failure(method: Option<&Method>, failure: Failure) -> Response {
    let (fault, reference, retry) = match failure {
        Failure::Denied => (Fault::coded(Code::FailedAuthentication, ""), None, None),
        Failure::Rate(seconds) => (Fault::coded(Code::TooManyRequests, ""), None, Some(seconds)),
        Failure::Fault(fault) => (fault, None, None),
        Failure::Unavailable => (Fault::coded(Code::ServiceUnavailable, ""), None, Some(5)),
        Failure::Internal(reference) => {
            (Fault::coded(Code::InternalError, ""), Some(reference), None)
        }
    };
    let (code, body) = json::problem(method, &fault, reference.as_deref());
    let mut response = respond(code.status(), PROBLEM, body);
    if code == Code::FailedAuthentication {
        put(
            &mut response,
            header::WWW_AUTHENTICATE,
            "Basic realm=\"Carillon\", Bearer",
        );
    }
    if let Some(seconds) = retry {
        put(&mut response, header::RETRY_AFTER, &seconds.to_string());
    }
    response
}
