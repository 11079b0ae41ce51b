//! listCampaigns (M7).

use crate::check::Findings;
use crate::context::Context;
use crate::entity::Names;
use crate::entity::campaign::{CAMPAIGN, detail};
use crate::fault::{Code, Outcome, Row};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type, form};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::OrgType;
use carillon_model::campaign::Campaign;
use carillon_model::org::Resolved;
use carillon_store::Snapshot;
use jiff::civil::Date;
use serde_json::json;

/// listCampaigns.
pub static METHOD: Method = Method {
    name: "listCampaigns",
    service: Service::CampaignManagement,
    soap: true,
    doc: "Lists the Campaigns of an Org created in a span of days, both days inclusive in the Org's zone, expired ones included. \
          An Enterprise gives the Campaigns of all its Accounts. Order: creation.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[
        Field::new(
            "org",
            Type::Entity(&crate::entity::org::ORG),
            "Account or Enterprise.",
        )
        .kinds(&["Account", "Enterprise"])
        .required(),
        Field::new("fromDate", Type::Date, "First day; null = no lower bound.").c(),
        Field::new("toDate", Type::Date, "Last day; null = no upper bound.").c(),
    ]),
    output: Output::Many(&CAMPAIGN),
    codes: Some(&[
        Code::ArgInvalidType,
        Code::ArgNull,
        Code::ObjectNotExists,
        Code::ResultTooLarge,
    ]),
    rule: Some(days_in_order),
    prepare: None,
    http: Http::get("/campaigns").query(&[
        ("org", "org.internalId"),
        ("fromDate", "fromDate"),
        ("toDate", "toDate"),
    ]),
    run: Run::Read(handle),
    example: || json!({ "org": { "internalId": "20", "type": "Account" }, "fromDate": "2026-10-01" }),
};

fn days_in_order(arguments: View<'_>, findings: &mut Findings) {
    let read = |name: &str| arguments.text(name).and_then(form::date);
    if let (Some(from), Some(to)) = (read("fromDate"), read("toDate"))
        && from > to
    {
        findings.add(
            Row::DA,
            || arguments.path_to("toDate"),
            "fromDate is after toDate",
        );
    }
}

/// The day of a date argument; of a dateTime its day in the Org's zone.
fn day(context: &Context, arguments: View<'_>, name: &str, org: &Resolved) -> Option<Date> {
    let text = arguments.text(name)?;
    if text.trim().len() == 10 {
        return form::date(text);
    }
    let zone = context.zone(org).time_zone();
    let moment = form::moment(text, zone, form::Bound::Start)?;
    Some(zone.to_datetime(moment.timestamp()).date())
}

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let kinds = [OrgType::Account, OrgType::Enterprise];
    let org = context.find_org(
        snapshot,
        arguments.get("org"),
        || arguments.path_to("org"),
        &kinds,
        false,
    )?;
    let (from, to) = (
        day(context, arguments, "fromDate", &org),
        day(context, arguments, "toDate", &org),
    );
    let zone = context.zone(&org).time_zone();
    let mut found: Vec<Campaign> = Vec::new();
    for account in context.accounts_below(snapshot, &org)? {
        found.extend(
            context
                .all_of::<Campaign>(snapshot, account.org.base.internal_id)?
                .into_iter()
                .filter(|campaign| {
                    let created = zone.to_datetime(campaign.base.created.timestamp()).date();
                    from.is_none_or(|from| created >= from) && to.is_none_or(|to| created <= to)
                }),
        );
    }
    found.sort_by_key(|campaign| (campaign.base.created, campaign.base.internal_id));
    let limit = org.settings.limit("limit.result.listCampaigns", 1_000);
    let (page, cursor) = context.page(found, limit, |campaign| {
        format!(
            "{:020}{:019}",
            campaign.base.created.0, campaign.base.internal_id
        )
    })?;
    let names = Names::new(snapshot, context);
    let objects = page
        .iter()
        .map(|campaign| detail(names, campaign))
        .collect::<Outcome<Vec<_>>>()?;
    Ok(Answer::many(objects, cursor))
}
