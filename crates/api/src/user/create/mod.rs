//! createUsers: item-wise, good ones are made and each bad one gives a warning.

use crate::auth::hash_password;
use crate::context::Context;
use crate::entity::user::{USER, key};
use crate::entity::{boolean, new_base, read_phone, words, zone_name};
use crate::fault::{Code, Fault, Outcome, Row, Stop};
use crate::limits::PASSWORD_CHARACTERS;
use crate::method::{Http, Method, Output, Prepare, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::org::Resolved;
use carillon_model::user::{Registration, User};
use carillon_model::{OrgId, Role, Severity, UserId, limits};
use carillon_store::{EntityReadExt as _, EntityWriteExt as _, Store, Transaction};
use serde_json::json;

/// createUsers.
pub static METHOD: Method = Method {
    name: "createUsers",
    service: Service::IdentityManagement,
    soap: true,
    doc: "Makes Users in an Org, item-wise: each refused one gives a warning ITEM_FAILED whose message starts with its index \
          and code. A User made with a password must change it before anything else; one made without is a program that \
          uses API keys only.",
    access: access::MANAGERS,
    retry: Retry::WithKey,
    input: Shape::arguments(&[
        Field::new("users", Type::Entity(&USER), "The Users.")
            .made()
            .many(limits::ITEMS_MAX)
            .required(),
        Field::new(
            "org",
            Type::Entity(&crate::entity::org::ORG),
            "Their home Org.",
        )
        .required(),
    ]),
    output: Output::Many(&USER),
    codes: None,
    rule: None,
    prepare: Some(Prepare::Slow(prepare)),
    http: Http::post("/users"),
    run: Run::Write(handle),
    example: || {
        json!({
            "users": [{
                "externalId": "kim@acme.example", "firstName": "Kim", "lastName": "Example",
                "roles": ["AccountManager"], "password": "a long first password"
            }],
            "org": { "internalId": "20" }
        })
    },
};

/// Hashes the passwords, which is slow on purpose, before the unit of work.
fn prepare(_store: &Store, context: &mut Context, arguments: View<'_>) -> Outcome<()> {
    let hashes: Vec<Option<String>> = arguments
        .items("users")
        .map(|user| {
            user.text("password")
                .filter(|password| is_fit(password))
                .map(|password| hash_password(password, context.random()))
        })
        .collect();
    context.prepared.replace(Some(Box::new(hashes)));
    Ok(())
}

/// Whether a login password has a legal length.
pub fn is_fit(password: &str) -> bool {
    PASSWORD_CHARACTERS.contains(&password.chars().count())
}

fn handle(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
) -> Outcome<Answer> {
    let org = context.find_org(
        transaction,
        arguments.get("org"),
        || arguments.path_to("org"),
        &[],
        true,
    )?;
    let hashes = context
        .prepared
        .take()
        .and_then(|hashes| hashes.downcast::<Vec<Option<String>>>().ok());
    let hashes = hashes.ok_or_else(|| Stop::Internal("passwords were not hashed".into()))?;
    let mut answer = Answer::none();
    let mut made = Vec::new();
    for (index, view) in arguments.items("users").enumerate() {
        match create(
            transaction,
            context,
            view,
            &org,
            hashes.get(index).cloned().flatten(),
        ) {
            Ok(user) => made.push(key(&user)),
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
    answer.data = crate::value::Data::Many(made);
    Ok(answer)
}

fn create(
    transaction: &mut dyn Transaction,
    context: &Context,
    view: View<'_>,
    org: &Resolved,
    hash: Option<String>,
) -> Outcome<User> {
    let login = view.text("externalId").expect("stage 4 found it").trim();
    let country = org.settings.country();
    let login = if login.contains('@') {
        carillon_compliance::number::read_email(login)
    } else {
        read_phone(login, country)
    };
    let login = login.ok_or_else(|| {
        Fault::of(
            Row::F,
            view.path_to("externalId"),
            "not an e-mail address or phone number",
        )
    })?;
    let roles = words!(view, "roles", Role);
    may_give(context, view, &roles)?;
    if view.text("password").is_some() && hash.is_none() {
        return Err(Fault::of(
            Row::DV,
            view.path_to("password"),
            "a password has 12 to 128 characters",
        )
        .into());
    }
    if transaction.find::<User>(0, &login)?.is_some() {
        return Err(Fault::of(Row::U, view.path_to("externalId"), login).into());
    }
    let id = transaction.take_ids(1)?;
    let user = User {
        base: new_base(context, id, &login, view),
        home: OrgId(org.org.base.internal_id),
        login_enabled: boolean(view, "loginEnabled").unwrap_or(true),
        first_name: view.text("firstName").unwrap_or_default().to_owned(),
        last_name: view.text("lastName").unwrap_or_default().to_owned(),
        roles,
        email: crate::entity::text(view, "email"),
        default_phone_number: crate::entity::phone(view, "defaultPhoneNumber", country)?,
        locale: crate::entity::text(view, "locale"),
        time_zone: view.text("timeZone").and_then(zone_name),
        preferences: view
            .attributes("preferences")
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        password_expiration: None,
        // Nothing but a password can be changed by changePassword: a User without one is a program with API keys.
        password_change_required: hash.is_some(),
        registration: Registration::default(),
    };
    transaction.insert(&user)?;
    if let Some(hash) = hash {
        transaction.put_password(UserId(id), &hash, context.now)?;
    }
    context.audit(transaction, user.home, format!("user {id}"), "{}")?;
    Ok(user)
}

/// Nobody gives a role that stands above its own.
fn may_give(context: &Context, view: View<'_>, roles: &[Role]) -> Outcome<()> {
    let allowed: &[Role] = if context.caller.has_any(&[Role::SystemAdministrator]) {
        Role::ALL
    } else if context.caller.has_any(&[Role::EnterpriseManager]) {
        &[
            Role::EnterpriseManager,
            Role::AccountManager,
            Role::Supervisor,
            Role::Agent,
            Role::ApiUser,
        ]
    } else {
        &[
            Role::AccountManager,
            Role::Supervisor,
            Role::Agent,
            Role::ApiUser,
        ]
    };
    if roles.iter().all(|role| allowed.contains(role)) {
        Ok(())
    } else {
        Err(Fault::denied(view.path_to("roles")).into())
    }
}
