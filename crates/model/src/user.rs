//! Users. Passwords and API secrets are not part of the entity: the store keeps them apart, hashed or encrypted.

use crate::entity::{Attributes, Base};
use crate::{ApiKeyId, Moment, OrgId, RegistrationMethod, Role, UserId};
use serde::{Deserialize, Serialize};

/// A User (`entities.md` 3.2). The externalId is the login, unique in the installation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Base fields.
    pub base: Base,
    /// The one home Org; its subtree is what the User may see (`api.md` A7).
    pub home: OrgId,
    /// May log in.
    pub login_enabled: bool,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// What the User may do.
    pub roles: Vec<Role>,
    /// E-mail address.
    pub email: Option<String>,
    /// Phone.
    pub default_phone_number: Option<String>,
    /// BCP 47.
    pub locale: Option<String>,
    /// IANA zone.
    pub time_zone: Option<String>,
    /// Free context.
    pub preferences: Attributes,
    /// From here on the password is refused.
    pub password_expiration: Option<Moment>,
    /// May call changePassword only.
    pub password_change_required: bool,
    /// How it works as an agent.
    #[serde(default)]
    pub registration: Registration,
}

/// How an agent's phone is connected, and what the agent can do (role Agent).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Registration {
    /// Who calls whom; none = DialOut.
    pub method: Option<RegistrationMethod>,
    /// The agent's phone; none = the defaultPhoneNumber.
    pub phone_number: Option<String>,
    /// Skills and the like.
    pub tags: Vec<String>,
}

crate::entity!(User, User, UserId, |_user| 0);

/// An API key: a long random secret that serves as Bearer key and as API secret of a User.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Whose it is.
    pub user: UserId,
    /// What it is called.
    pub name: String,
    /// When it was made.
    pub created: Moment,
    /// From here on it is refused.
    pub expires: Option<Moment>,
    /// Keyed hash of the secret: how a presented secret is found.
    pub hash: [u8; 32],
    /// The secret, encrypted with the installation's key: digests need it.
    pub sealed: Vec<u8>,
}

/// When a key was last used. It is kept apart from the key because it changes with every call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyUse {
    /// The key.
    pub key: ApiKeyId,
    /// When.
    pub last_used: Moment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_before_can_still_be_read() {
        let user = User {
            base: Base::new(1, "ann@example.org", Moment(0), UserId(1)),
            home: OrgId(2),
            login_enabled: true,
            first_name: "Ann".to_owned(),
            last_name: "Lee".to_owned(),
            roles: vec![Role::Agent],
            email: None,
            default_phone_number: None,
            locale: None,
            time_zone: None,
            preferences: Attributes::new(),
            password_expiration: None,
            password_change_required: false,
            registration: Registration::default(),
        };
        let mut document = serde_json::to_value(&user).expect("JSON");
        document
            .as_object_mut()
            .and_then(|fields| fields.remove("registration"))
            .expect("it was written");
        assert_eq!(serde_json::from_value::<User>(document).ok(), Some(user));
    }
}
