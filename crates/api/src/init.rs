//! The first installation (`api.md` A9): SuperEnterprise, one Enterprise with its master Account, one Account, and the
//! first User with one API key.

use crate::auth::{Keys, hash_password};
use carillon_model::entity::{Attributes, Base};
use carillon_model::org::{Org, Settings};
use carillon_model::user::{ApiKey, Registration, User};
use carillon_model::{ApiKeyId, Moment, OrgId, OrgType, Role, UserId};
use carillon_store::{EntityWriteExt as _, Store, Urgency};
use rand::RngCore;

/// The fact that says an installation is there.
const INSTALLED: &str = "installation.superEnterprise";

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Init {
    /// The SuperEnterprise.
    pub super_enterprise: i64,
    /// The Enterprise.
    pub enterprise: i64,
    /// Its master Account.
    pub master_account: i64,
    /// The Account.
    pub account: i64,
    /// The first User.
    pub user: i64,
    /// Its API key.
    pub api_key: i64,
    /// The secret of the key: it is not kept in clear anywhere.
    pub secret: String,
}

/// Why there is no installation.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// There is one already; nothing was changed.
    #[error("the store has an installation already")]
    Installed,
    /// The name or login has no legal form.
    #[error("{0}")]
    Unfit(&'static str),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] carillon_store::Error),
}

/// Names of what is made.
#[derive(Debug, Clone)]
pub struct Names<'a> {
    /// Of the Enterprise.
    pub enterprise: &'a str,
    /// Of the Account.
    pub account: &'a str,
    /// The login: an e-mail address.
    pub login: &'a str,
}

/// Makes the installation. `installation_key` is the one that `ApiState::new` gets.
pub fn init_installation(
    store: &Store,
    names: &Names<'_>,
    password: &str,
    installation_key: &[u8; 32],
    chance: &mut dyn RngCore,
    now: Moment,
) -> Result<Init, InitError> {
    let fit = |name: &str| {
        crate::shape::form::check(&crate::shape::Type::Name, name, false).is_none()
            && !name.trim().is_empty()
    };
    if !fit(names.enterprise) || !fit(names.account) {
        return Err(InitError::Unfit(
            "a name has 1 to 64 characters, none of < > & \"",
        ));
    }
    let login = carillon_compliance::number::read_email(names.login)
        .or_else(|| crate::entity::read_phone(names.login, "US"))
        .ok_or(InitError::Unfit(
            "the login is an e-mail address or a phone number with country code",
        ))?;
    if !crate::user::create::is_fit(password) {
        return Err(InitError::Unfit("a password has 12 to 128 characters"));
    }
    let mut random = [0u8; 60];
    chance.fill_bytes(&mut random);
    let part = |from: usize, to: usize| &random[from..to];
    let secret = Keys::secret(part(0, 32).try_into().expect("32 bytes"));
    let hash = hash_password(password, part(32, 48).try_into().expect("16 bytes"));
    let keys = Keys::new(installation_key, [0; 32]);
    let sealed = keys.seal(&secret, part(48, 60).try_into().expect("12 bytes"));
    let found = keys.hash(&secret);
    let (enterprise, account) = (names.enterprise.to_owned(), names.account.to_owned());
    store.write_now(Urgency::People, move |transaction| {
        if transaction.fact(INSTALLED)?.is_some() {
            return Err(InitError::Installed);
        }
        let id = transaction.take_ids(6)?;
        let user = UserId(id + 4);
        let org = |id: i64, name: &str, org_type, parent: Option<i64>| Org {
            base: Base::new(id, carillon_model::name::tidy(name), now, user),
            org_type,
            parent: parent.map(OrgId),
            name: carillon_model::name::tidy(name),
            preferences: Attributes::new(),
            settings: Settings::default(),
        };
        let mut enterprise_org = org(id + 1, &enterprise, OrgType::Enterprise, Some(id));
        enterprise_org.settings.master_account = Some(OrgId(id + 2));
        let cut: String = carillon_model::name::tidy(&enterprise)
            .chars()
            .take(57)
            .collect();
        transaction.insert(&org(id, "Carillon", OrgType::SuperEnterprise, None))?;
        transaction.insert(&enterprise_org)?;
        transaction.insert(&org(
            id + 2,
            &format!("{cut}-master"),
            OrgType::Account,
            Some(id + 1),
        ))?;
        transaction.insert(&org(id + 3, &account, OrgType::Account, Some(id + 1)))?;
        transaction.insert(&User {
            base: Base::new(user.0, login.clone(), now, user),
            home: OrgId(id),
            login_enabled: true,
            first_name: "System".to_owned(),
            last_name: "Administrator".to_owned(),
            roles: vec![Role::SystemAdministrator],
            email: login.contains('@').then(|| login.clone()),
            default_phone_number: None,
            locale: None,
            time_zone: None,
            preferences: Attributes::new(),
            password_expiration: None,
            password_change_required: false,
            registration: Registration::default(),
        })?;
        transaction.put_password(user, &hash, now)?;
        transaction.put_api_key(&ApiKey {
            id: ApiKeyId(id + 5),
            user,
            name: "first key".to_owned(),
            created: now,
            expires: None,
            hash: found,
            sealed,
        })?;
        transaction.put_fact(INSTALLED, &id.to_string())?;
        Ok(Init {
            super_enterprise: id,
            enterprise: id + 1,
            master_account: id + 2,
            account: id + 3,
            user: user.0,
            api_key: id + 5,
            secret,
        })
    })
}
