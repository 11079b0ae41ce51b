//! createScriptUsingContent (M2).

use crate::check::Findings;
use crate::context::Context;
use crate::entity::Names;
use crate::entity::script::{SCRIPT, detail};
use crate::fault::{Code, Fault, Outcome, Row, Stop};
use crate::method::{Http, Method, Output, Prepare, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type, form};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::ChannelType;
use carillon_model::entity::{Base, Kind};
use carillon_model::script::{Content, Script};
use carillon_model::{OrgId, OrgType, ScriptId, limits};
use carillon_store::{EntityReadExt as _, EntityWriteExt as _, Store, Transaction};
use serde_json::json;
use std::collections::HashSet;

/// createScriptUsingContent.
pub static METHOD: Method = Method {
    name: "createScriptUsingContent",
    service: Service::CampaignManagement,
    soap: true,
    doc: "Makes a new Script from supplied files. The first is its XML source, whose root element decides the channel: text, \
          email or vxml. Everything is checked at once; a Script that was accepted never fails to start. This version serves \
          text Scripts. With an Enterprise the Script is made in the master account.",
    access: access::WRITERS,
    retry: Retry::WithKey,
    input: Shape::arguments(&[
        Field::new("name", Type::Name, "Its name.").required(),
        Field::new(
            "contentNames",
            Type::Text(255),
            "Names of the files: .js, .xml, .xsl, .wav.",
        )
        .many(limits::SCRIPT_CONTENTS_MAX)
        .required(),
        Field::new("contentData", Type::Bytes, "The files, by position.")
            .many(limits::SCRIPT_CONTENTS_MAX)
            .required(),
        Field::new(
            "org",
            Type::Entity(&crate::entity::org::ORG),
            "Account or Enterprise.",
        )
        .kinds(&["Account", "Enterprise"])
        .required(),
    ]),
    output: Output::One(&SCRIPT),
    codes: Some(&[
        Code::ArgInvalidChar,
        Code::ArgInvalidData,
        Code::ArgNull,
        Code::ArgTooLarge,
        Code::AttributeNull,
        Code::ObjectExists,
        Code::ObjectNotExists,
        Code::SystemLimitExceeded,
    ]),
    rule: Some(contents_fit),
    prepare: Some(Prepare::Slow(prepare)),
    http: Http::post("/scripts"),
    run: Run::Write(handle),
    example: || {
        json!({
            "name": "Appointment",
            "contentNames": ["appointment.xml"],
            "contentData": ["PHRleHQ+PG1lc3NhZ2U+SGVsbG8ge3sgY29udGFjdC5maXJzdE5hbWUgfX08L21lc3NhZ2U+PC90ZXh0Pg=="],
            "org": { "internalId": "20" }
        })
    },
};

/// Names and contents go together; SA by the sum of the decoded bytes.
fn contents_fit(arguments: View<'_>, findings: &mut Findings) {
    let names: Vec<&str> = arguments
        .items("contentNames")
        .filter_map(View::scalar)
        .collect();
    let contents: Vec<&str> = arguments
        .items("contentData")
        .filter_map(View::scalar)
        .collect();
    if names.len() != contents.len() {
        findings.add(
            Row::DA,
            || arguments.path_to("contentData"),
            "as many contents as names are expected",
        );
    }
    // Three bytes for four letters: the sum is known before anything is decoded.
    let bytes: usize = contents
        .iter()
        .map(|text| {
            let letters = text
                .bytes()
                .filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=')
                .count();
            letters * 3 / 4
        })
        .sum();
    if bytes > limits::SCRIPT_BYTES_MAX {
        findings.add(
            Row::SA,
            || arguments.path_to("contentData"),
            "the contents exceed 5 MB in sum",
        );
    }
    let mut seen = HashSet::new();
    for name in names {
        let lower = name.trim().to_ascii_lowercase();
        if ![".js", ".xml", ".xsl", ".wav"]
            .iter()
            .any(|ending| lower.ends_with(ending))
        {
            findings.add(
                Row::DA,
                || arguments.path_to("contentNames"),
                "a name ends with .js, .xml, .xsl or .wav",
            );
        }
        if !seen.insert(lower) {
            findings.add(
                Row::DA,
                || arguments.path_to("contentNames"),
                "two contents have the same name",
            );
        }
    }
}

/// A Script that was read and checked, with its contents.
struct Checked {
    contents: Vec<Content>,
    script: carillon_script::Script,
}

/// Decodes and checks the contents before the unit of work: it may take long.
fn prepare(_store: &Store, context: &mut Context, arguments: View<'_>) -> Outcome<()> {
    let names = arguments.items("contentNames").filter_map(View::scalar);
    let contents: Vec<Content> = names
        .zip(arguments.items("contentData").filter_map(View::scalar))
        .map(|(name, data)| Content {
            name: name.trim().to_owned(),
            data: form::bytes(data).unwrap_or_default(),
        })
        .collect();
    let script = carillon_script::Script::parse(&contents)
        .map_err(|error| Fault::of(Row::DA, arguments.path_to("contentData"), error.to_string()))?;
    // The language of e-mail is read, but no carrier of this version sends it: a Script that is taken can be sent.
    if script.channel != ChannelType::Text {
        let refusal = format!(
            "scripts of channel {} are not served by this version",
            script.channel
        );
        return Err(Fault::of(Row::DA, arguments.path_to("contentData"), refusal).into());
    }
    context
        .prepared
        .replace(Some(Box::new(Checked { contents, script })));
    Ok(())
}

fn handle(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
) -> Outcome<Answer> {
    let kinds = [OrgType::Account, OrgType::Enterprise];
    let org = context.find_org(
        transaction,
        arguments.get("org"),
        || arguments.path_to("org"),
        &kinds,
        true,
    )?;
    let account = context.account_of(transaction, &org)?;
    let owner = OrgId(account.org.base.internal_id);
    let checked = context
        .prepared
        .take()
        .and_then(|checked| checked.downcast::<Checked>().ok());
    let Checked { contents, script } =
        *checked.ok_or_else(|| Stop::Internal("the Script was not checked".into()))?;
    let name = arguments.text("name").expect("stage 1 found it");
    if transaction.find::<Script>(owner.0, name)?.is_some() {
        return Err(Fault::of(Row::U, arguments.path_to("name"), name.to_owned()).into());
    }
    let active =
        usize::try_from(transaction.count_documents(Kind::Script, owner.0)?).unwrap_or(usize::MAX);
    if active
        >= account
            .settings
            .limit("limit.script.active", limits::SCRIPTS_ACTIVE_MAX)
    {
        return Err(Fault::of(
            Row::L,
            arguments.path_to("org"),
            "maximum number of active Scripts exceeded",
        )
        .into());
    }
    let id = transaction.take_ids(1)?;
    let script = Script {
        base: Base::new(
            id,
            carillon_model::name::tidy(name),
            context.now,
            context.caller.user_id(),
        ),
        owner,
        version: 1,
        description: script.description.clone(),
        is_template: script.is_template,
        channel: script.channel,
        element_names: script.element_names.clone(),
        agent_need: script.agent_need,
        template_kind: script.template_kind,
        duration: None,
    };
    transaction.insert(&script)?;
    transaction.put_script_contents(ScriptId(id), &contents)?;
    context.audit(transaction, owner, format!("script {id}"), "{}")?;
    Ok(Answer::versioned(
        detail(Names::new(transaction, context), &script)?,
        1,
    ))
}
