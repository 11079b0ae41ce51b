//! createOrg: an Enterprise under the SuperEnterprise, or an Account under an Enterprise.

use crate::context::Context;
use crate::entity::org::{ORG, apply, detail, limits};
use crate::entity::{Names, new_base};
use crate::fault::{Fault, Outcome, Row};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::entity::{Attributes, Base};
use carillon_model::org::{Org, Settings};
use carillon_model::{OrgId, OrgType, Role, limits as bounds};
use carillon_store::meta::Topic;
use carillon_store::{EntityReadExt as _, EntityWriteExt as _, Transaction};
use serde_json::json;

/// createOrg.
pub static METHOD: Method = Method {
    name: "createOrg",
    service: Service::OrganizationManagement,
    soap: true,
    doc: "Makes an Org: an Enterprise under the SuperEnterprise, or an Account under an Enterprise. An Enterprise gets its \
          master account `<name>-master` at once. Limits and settings are attributes.",
    access: access::ORG_MANAGERS,
    retry: Retry::WithKey,
    input: Shape::arguments(&[
        Field::new("child", Type::Entity(&ORG), "The Org to be made.")
            .made()
            .required(),
        Field::new("parent", Type::Entity(&ORG), "The Org above it.").required(),
    ]),
    output: Output::One(&ORG),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::post("/orgs").location("/orgs/{id}"),
    run: Run::Write(handle),
    example: || {
        json!({
            "child": { "externalId": "west", "type": "Account", "attributes": { "timeZone": "America/New_York" } },
            "parent": { "internalId": "10" }
        })
    },
};

fn handle(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
) -> Outcome<Answer> {
    let parent_view = arguments.get("parent");
    let parent = context.find_org(
        transaction,
        parent_view,
        || arguments.path_to("parent"),
        &[],
        true,
    )?;
    let child = arguments.get("child").expect("stage 1 found it");
    let kind = child
        .text("type")
        .and_then(|word| OrgType::parse(word.trim()))
        .expect("stage 4 found it");
    let fits = matches!(
        (parent.org.org_type, kind),
        (OrgType::SuperEnterprise, OrgType::Enterprise) | (OrgType::Enterprise, OrgType::Account)
    );
    if !fits {
        let reason = format!(
            "no Org of type {} is made under one of type {}",
            kind.text(),
            parent.org.org_type.text()
        );
        return Err(Fault::of(Row::DA, child.path_to("type"), reason).into());
    }
    if let Some(own_parent) = child.get("parent") {
        let own = context.find_org(
            transaction,
            Some(own_parent),
            || own_parent.path(),
            &[],
            false,
        )?;
        if own.org.base.internal_id != parent.org.base.internal_id {
            return Err(Fault::of(Row::DA, own_parent.path(), "two different parents").into());
        }
    }
    let mut settings = Settings::default();
    apply(child, &mut settings, parent.settings.country())?;
    set_limits(context, child, &mut settings)?;
    let name = child.text("externalId").expect("stage 4 found it");
    let parent_id = OrgId(parent.org.base.internal_id);
    if transaction.find::<Org>(parent_id.0, name)?.is_some() {
        return Err(Fault::of(Row::U, child.path_to("externalId"), name.to_owned()).into());
    }
    check_count(transaction, &parent.settings, parent_id, kind, child)?;
    let id = transaction.take_ids(2)?;
    let mut org = Org {
        base: new_base(context, id, name, child),
        org_type: kind,
        parent: Some(parent_id),
        name: child
            .text("name")
            .map_or_else(|| carillon_model::name::tidy(name), str::to_owned),
        preferences: child
            .attributes("preferences")
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        settings,
    };
    org.base.attributes.retain(|name, _| !is_limit(name));
    if kind == OrgType::Enterprise {
        org.settings.master_account = Some(OrgId(id + 1));
        transaction.insert(&org)?;
        transaction.insert(&master_account(context, &org, id + 1))?;
    } else {
        transaction.insert(&org)?;
    }
    transaction.touch(Topic::Rules)?;
    context.audit(transaction, OrgId(id), format!("org {id}"), "{}")?;
    Ok(Answer::versioned(
        detail(Names::new(transaction, context), &org)?,
        1,
    ))
}

/// The Account that owns what an Enterprise shares.
pub fn master_account(context: &Context, enterprise: &Org, id: i64) -> Org {
    let name: String = enterprise
        .base
        .external_id
        .chars()
        .take(bounds::NAME_CHARACTERS_MAX - 7)
        .collect();
    let name = format!("{name}-master");
    Org {
        base: Base::new(id, name.clone(), context.now, context.caller.user_id()),
        org_type: OrgType::Account,
        parent: Some(OrgId(enterprise.base.internal_id)),
        name,
        preferences: Attributes::new(),
        settings: Settings::default(),
    }
}

/// Whether an attribute is a limit.
pub fn is_limit(name: &str) -> bool {
    name.starts_with("limit.") || name.starts_with("api.")
}

/// Sets limits, which EnterpriseManagers and SystemAdministrators may.
pub fn set_limits(context: &Context, view: View<'_>, settings: &mut Settings) -> Outcome<()> {
    let limits = limits(view)?;
    if !limits.is_empty()
        && !context
            .caller
            .has_any(&[Role::SystemAdministrator, Role::EnterpriseManager])
    {
        return Err(Fault::denied(view.path_to("attributes")).into());
    }
    settings.limits.extend(limits);
    Ok(())
}

fn check_count(
    transaction: &dyn Transaction,
    settings: &Settings,
    parent: OrgId,
    kind: OrgType,
    child: View<'_>,
) -> Outcome<()> {
    let (name, default) = match kind {
        OrgType::Enterprise => ("limit.enterprises", bounds::ENTERPRISES_MAX),
        _ => ("limit.accounts", bounds::ACCOUNTS_MAX),
    };
    // The master account is made by the system and does not count.
    let own = usize::from(kind != OrgType::Enterprise);
    let present =
        usize::try_from(transaction.count_documents(carillon_model::entity::Kind::Org, parent.0)?)
            .unwrap_or(usize::MAX);
    if present.saturating_sub(own) >= settings.limit(name, default) {
        return Err(Fault::of(
            Row::L,
            child.path(),
            "maximum number of active Orgs exceeded",
        )
        .into());
    }
    Ok(())
}
