//! The envelope: Header with its security token, Body with one element that names the method.

use super::SoapFault;
use super::namespace::{DIGEST, ENVELOPE, ENVELOPE_12, SECURITY, service};
use super::read::{Piece, Reader};
use crate::auth::Credentials;
use crate::door::body::Part;
use crate::method::{Method, Service};
use crate::registry;
use crate::tree::{Builder, Tree};
use quick_xml::events::BytesStart;

/// A call as it came in.
pub struct Request {
    /// Who says to be calling.
    pub credentials: Credentials,
    /// What is called.
    pub method: &'static Method,
    /// With which arguments.
    pub tree: Tree,
}

/// Reads an envelope for a service and version. What is not well-formed is told before anything else that is wrong.
pub fn read_envelope(
    body: String,
    parts: &[Part],
    at: Service,
    version: u16,
) -> Result<Request, SoapFault> {
    let (credentials, method, builder) = {
        let mut reader = Reader::new(&body, service(version), parts)?;
        match read_parts(&mut reader, at, version) {
            Ok(read) => read,
            Err(fault) if fault.status == 400 => return Err(fault),
            Err(fault) => {
                while !matches!(reader.next()?, Piece::Eof) {}
                return Err(fault);
            }
        }
    };
    Ok(Request {
        credentials,
        method,
        tree: builder.finish(body),
    })
}

fn read_parts(
    reader: &mut Reader<'_>,
    at: Service,
    version: u16,
) -> Result<(Credentials, &'static Method, Builder), SoapFault> {
    let mut credentials = Credentials::None;
    let mut found = None;
    open_envelope(reader)?;
    loop {
        match reader.next()? {
            Piece::Start(start) => match reader.name(&start) {
                (Some(ENVELOPE), "Header") if found.is_none() => credentials = read_header(reader)?,
                (Some(ENVELOPE), "Body") if found.is_none() => {
                    found = Some(read_body(reader, at, version)?)
                }
                _ => {
                    return Err(SoapFault::client(
                        "The envelope holds something else than a Header and a Body",
                    ));
                }
            },
            Piece::Text(text) if text.trim().is_empty() => {}
            Piece::Text(_) => return Err(SoapFault::client("The envelope holds text")),
            Piece::End => break,
            Piece::Eof => return Err(SoapFault::malformed("The body ends inside the envelope")),
        }
    }
    after_envelope(reader)?;
    let (method, builder) = found.ok_or_else(|| SoapFault::client("The envelope has no Body"))?;
    Ok((credentials, method, builder))
}

fn open_envelope(reader: &mut Reader<'_>) -> Result<(), SoapFault> {
    loop {
        match reader.next()? {
            Piece::Start(start) => {
                return match reader.name(&start) {
                    (Some(ENVELOPE), "Envelope") => Ok(()),
                    (Some(ENVELOPE_12), "Envelope") => Err(SoapFault::coded(
                        500,
                        "soapenv:VersionMismatch",
                        "SOAP 1.1 is spoken here",
                    )),
                    _ => Err(SoapFault::client("The body is not a SOAP 1.1 envelope")),
                };
            }
            Piece::Text(text) if text.trim().is_empty() => {}
            _ => return Err(SoapFault::malformed("The body is not XML")),
        }
    }
}

fn after_envelope(reader: &mut Reader<'_>) -> Result<(), SoapFault> {
    loop {
        match reader.next()? {
            Piece::Eof => return Ok(()),
            Piece::Text(text) if text.trim().is_empty() => {}
            _ => return Err(SoapFault::malformed("Something follows the envelope")),
        }
    }
}

fn read_header(reader: &mut Reader<'_>) -> Result<Credentials, SoapFault> {
    let mut credentials = Credentials::None;
    loop {
        match reader.next()? {
            Piece::Start(start) => {
                if matches!(reader.name(&start), (Some(SECURITY), "Security")) {
                    credentials = read_security(reader)?;
                    continue;
                }
                if must_understand(reader, &start)? {
                    return Err(SoapFault::coded(
                        500,
                        "soapenv:MustUnderstand",
                        format!("The header {} is not understood", reader.name(&start).1),
                    ));
                }
                reader.skip()?;
            }
            Piece::Text(_) => {}
            Piece::End => return Ok(credentials),
            Piece::Eof => return Err(SoapFault::malformed("The body ends inside the Header")),
        }
    }
}

fn must_understand(reader: &Reader<'_>, start: &BytesStart<'_>) -> Result<bool, SoapFault> {
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| SoapFault::malformed(error.to_string()))?;
        let (prefix, local) = attribute
            .key
            .0
            .split_once(':')
            .unwrap_or(("", attribute.key.0));
        let ours = prefix.is_empty() || reader.scopes.resolve(prefix) == Some(ENVELOPE);
        if local == "mustUnderstand" && ours {
            return Ok(matches!(attribute.value.trim(), "1" | "true"));
        }
    }
    Ok(false)
}

/// A Security header: the first UsernameToken counts; anything else in it (a Timestamp) is not looked at.
fn read_security(reader: &mut Reader<'_>) -> Result<Credentials, SoapFault> {
    let mut credentials = Credentials::None;
    loop {
        match reader.next()? {
            Piece::Start(start) => {
                if matches!(reader.name(&start), (Some(SECURITY), "UsernameToken"))
                    && matches!(credentials, Credentials::None)
                {
                    credentials = read_token(reader)?;
                } else {
                    reader.skip()?;
                }
            }
            Piece::Text(_) => {}
            Piece::End => return Ok(credentials),
            Piece::Eof => return Err(SoapFault::malformed("The body ends inside the Header")),
        }
    }
}

/// A UsernameToken, its children in any order.
fn read_token(reader: &mut Reader<'_>) -> Result<Credentials, SoapFault> {
    let (mut login, mut password, mut nonce, mut created) = (None, None, None, None);
    let mut digest = false;
    loop {
        match reader.next()? {
            Piece::Start(start) => {
                let local = reader.name(&start).1.to_owned();
                if local == "Password" {
                    digest = start.attributes().flatten().any(|attribute| {
                        attribute.key.local_name().into_inner() == "Type"
                            && attribute.value.ends_with(DIGEST)
                    });
                }
                let (text, _) = reader.text()?;
                match local.as_str() {
                    "Username" => login = Some(text.trim().to_owned()),
                    "Password" => password = Some(text.into_owned()),
                    "Nonce" => nonce = Some(text.trim().to_owned()),
                    // The digest covers this text as it was written.
                    "Created" => created = Some(text.into_owned()),
                    _ => {}
                }
            }
            Piece::Text(_) => {}
            Piece::End => break,
            Piece::Eof => return Err(SoapFault::malformed("The body ends inside the Header")),
        }
    }
    Ok(match (login, password) {
        (Some(login), Some(password)) => Credentials::Token {
            login,
            password,
            digest,
            nonce,
            created,
        },
        _ => Credentials::None,
    })
}

fn read_body(
    reader: &mut Reader<'_>,
    at: Service,
    version: u16,
) -> Result<(&'static Method, Builder), SoapFault> {
    let mut found = None;
    loop {
        match reader.next()? {
            Piece::Start(start) => {
                if found.is_some() {
                    return Err(SoapFault::client("The Body holds more than one element"));
                }
                let (namespace, local) = reader.name(&start);
                if namespace != Some(service(version)) {
                    return Err(SoapFault::client(format!(
                        "The element {local} is not in the namespace {}",
                        service(version)
                    )));
                }
                let method = registry::soap_method(at, local).ok_or_else(|| {
                    SoapFault::client(format!("{} has no method {local}", at.name()))
                })?;
                let mut builder = Builder::new(&method.input);
                reader.arguments(&mut builder, &method.input)?;
                found = Some((method, builder));
            }
            Piece::Text(text) if text.trim().is_empty() => {}
            Piece::Text(_) => return Err(SoapFault::client("The Body holds text")),
            Piece::End => break,
            Piece::Eof => return Err(SoapFault::malformed("The body ends inside the Body")),
        }
    }
    found.ok_or_else(|| SoapFault::client("The Body is empty"))
}
