//! Every method. A new method is a folder and one word here; everything else is derived.

use crate::method::{Method, Service};
use crate::{
    api_key, campaign, compliance_rule, contact, contact_attempt, contact_batch, explain, job,
    list, org, script, session, strategy, sub_campaign, suppression, system, user,
};

/// All methods, in the order of the reference.
pub static ALL: &[&Method] = &[
    &org::create::METHOD,
    &org::show::METHOD,
    &org::list::METHOD,
    &org::change::METHOD,
    &user::create::METHOD,
    &user::show::METHOD,
    &user::list::METHOD,
    &user::change_password::METHOD,
    &api_key::create::METHOD,
    &api_key::list::METHOD,
    &api_key::delete::METHOD,
    &session::show::METHOD,
    &list::create::METHOD,
    &list::show::METHOD,
    &list::list::METHOD,
    &list::change::METHOD,
    &list::add_contacts::METHOD,
    &list::import_string::METHOD,
    &list::import_stream::METHOD,
    &contact::list::METHOD,
    &contact::find::METHOD,
    &contact::show::METHOD,
    &explain::contact::METHOD,
    &suppression::add::METHOD,
    &suppression::remove::METHOD,
    &suppression::list::METHOD,
    &script::create::METHOD,
    &script::list::METHOD,
    &script::test::METHOD,
    &campaign::create::METHOD,
    &campaign::show::METHOD,
    &campaign::list::METHOD,
    &strategy::create::METHOD,
    &strategy::show::METHOD,
    &sub_campaign::create::METHOD,
    &sub_campaign::show_state::METHOD,
    &sub_campaign::list_states::METHOD,
    &sub_campaign::change_state::METHOD,
    &explain::sub_campaign::METHOD,
    &contact_batch::create::METHOD,
    &contact_batch::show_state::METHOD,
    &contact_batch::change_state::METHOD,
    &compliance_rule::create::METHOD,
    &compliance_rule::delete::METHOD,
    &compliance_rule::list::METHOD,
    &contact_attempt::show::METHOD,
    &contact_attempt::list::METHOD,
    &job::show::METHOD,
    &job::list::METHOD,
    &job::result::METHOD,
    &job::cancel::METHOD,
    &system::show_info::METHOD,
    &system::list_events::METHOD,
];

/// A method by its name.
pub fn by_name(name: &str) -> Option<&'static Method> {
    ALL.iter().copied().find(|method| method.name == name)
}

/// A method of a SOAP service.
pub fn soap_method(service: Service, name: &str) -> Option<&'static Method> {
    ALL.iter()
        .copied()
        .find(|method| method.soap && method.service == service && method.name == name)
}
