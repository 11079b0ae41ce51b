//! Users, API keys and sessions on the wire (`entities.md` 3.2).

use super::Names;
use crate::fault::Outcome;
use crate::shape::{Family, Field, Identity, Shape, Type};
use crate::value::{Object, id};
use carillon_model::Role;
use carillon_model::user::{ApiKey, User};

/// A User.
pub static USER: Shape = Shape::entity(
    "user",
    "A person or program that logs in. It has one home Org and sees that subtree.",
    Identity::External,
    Field::new(
        "externalId",
        Type::Login,
        "The login: e-mail address or phone number, unique in the installation.",
    )
    .must(),
    &[
        Field::new("loginEnabled", Type::Boolean, "May log in.")
            .cg()
            .or("true"),
        Field::new("firstName", Type::Text(64), "Given name.")
            .must()
            .g(),
        Field::new("lastName", Type::Text(64), "Family name.")
            .must()
            .g(),
        Field::new("roles", Type::Words(Role::TEXTS), "What it may do.")
            .many(6)
            .must()
            .g(),
        Field::new("email", Type::Text(254), "E-mail address.").cg(),
        Field::new("defaultPhoneNumber", Type::Phone, "Phone.").cg(),
        Field::new("locale", Type::Text(35), "BCP 47 language tag.").cg(),
        Field::new("timeZone", Type::Zone, "IANA zone.").cg(),
        Field::new("preferences", Type::Attributes, "Free context.").cg(),
        Field::new(
            "password",
            Type::Raw,
            "Login password, 12 to 128 characters. Write only: it is never answered.",
        )
        .c(),
    ],
)
.with_attributes(&[
    Field::new(
        "passwordExpirationDate",
        Type::DateTime,
        "From here on the password is refused.",
    )
    .g(),
    Field::new(
        "passwordChangeRequired",
        Type::Boolean,
        "May call changePassword only.",
    )
    .g()
    .or("true"),
])
.with_free_attributes();

/// An API key.
pub static API_KEY: Shape = Shape::plain(
    "apiKey",
    "A long random secret that serves as Bearer key and as API secret of a User.",
    Family::Top,
    &[
        Field::new("internalId", Type::Id, "Its id."),
        Field::new("name", Type::Name, "What it is called.").c(),
        Field::new("user", Type::Entity(&USER), "Whose it is.").c(),
        Field::new("createdDate", Type::DateTime, "When it was made."),
        Field::new("expires", Type::DateTime, "From here on it is refused.").c(),
        Field::new(
            "secret",
            Type::Raw,
            "The secret: answered once, when the key is made.",
        ),
    ],
)
.identified_by_id();

/// A Session.
pub static SESSION: Shape = Shape::plain(
    "session",
    "Who calls.",
    Family::Top,
    &[
        Field::new("user", Type::Entity(&USER), "The User.").whole(),
        Field::new("startTime", Type::DateTime, "When the call was taken."),
    ],
);

/// A User as (K).
pub fn key(user: &User) -> Object {
    Object::new(&USER)
        .set("internalId", id(user.base.internal_id))
        .set("externalId", user.base.external_id.clone())
}

/// A User as (D); password and keys are never answered.
pub fn detail(names: Names<'_>, user: &User) -> Outcome<Object> {
    let mut object = names.base(Object::new(&USER), &user.base)?;
    object.put("loginEnabled", user.login_enabled);
    object.put("firstName", user.first_name.clone());
    object.put("lastName", user.last_name.clone());
    object.put(
        "roles",
        user.roles
            .iter()
            .map(|role| role.text())
            .collect::<Vec<_>>(),
    );
    object.put("email", user.email.clone());
    object.put("defaultPhoneNumber", user.default_phone_number.clone());
    object.put("locale", user.locale.clone());
    object.put("timeZone", user.time_zone.clone());
    object.put("preferences", user.preferences.clone());
    object.put_attribute(
        "passwordExpirationDate",
        user.password_expiration.map(carillon_model::Moment::wire),
    );
    object.put_attribute(
        "passwordChangeRequired",
        Some(user.password_change_required.to_string()),
    );
    Ok(object)
}

/// An API key without its secret.
pub fn api_key(names: Names<'_>, key: &ApiKey) -> Outcome<Object> {
    Ok(Object::new(&API_KEY)
        .set("internalId", id(key.id))
        .set("name", key.name.clone())
        .set("user", names.user_key(key.user)?)
        .set("createdDate", key.created)
        .set("expires", key.expires))
}
