//! What a method is: its name, text, access, retry promise, shapes, faults, addresses and handler. SOAP operations, WSDL,
//! JSON routes, OpenAPI, access rows, audit names, the command line and the reference pages are all derived from the
//! registry of these. A method without text, access or example does not compile: none of its fields has a default.

use crate::check::Findings;
use crate::context::Context;
use crate::fault::{Code, Outcome};
use crate::shape::Shape;
use crate::tree::View;
use crate::value::Answer;
use carillon_model::Role;
use carillon_store::{Snapshot, Store, Transaction};
use std::any::Any;

/// A service: one SOAP address and WSDL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Campaigns and all that runs in them.
    CampaignManagement,
    /// Sessions.
    Authentication,
    /// Orgs.
    OrganizationManagement,
    /// Users and keys.
    IdentityManagement,
    /// Lists and contacts.
    ContactManagement,
    /// Jobs, audit, the system.
    PlatformManagement,
}

impl Service {
    /// Every service.
    pub const ALL: &'static [Service] = &[
        Service::CampaignManagement,
        Service::Authentication,
        Service::OrganizationManagement,
        Service::IdentityManagement,
        Service::ContactManagement,
        Service::PlatformManagement,
    ];

    /// Its name in the address.
    pub const fn name(self) -> &'static str {
        match self {
            Service::CampaignManagement => "CampaignManagementService",
            Service::Authentication => "AuthenticationService",
            Service::OrganizationManagement => "OrganizationManagementService",
            Service::IdentityManagement => "IdentityManagementService",
            Service::ContactManagement => "ContactManagementService",
            Service::PlatformManagement => "PlatformManagementService",
        }
    }

    /// The `type` of its errors.
    pub const fn error_type(self) -> &'static str {
        match self {
            Service::CampaignManagement => "Campaign",
            Service::Authentication => "Security",
            Service::OrganizationManagement => "Organization",
            Service::IdentityManagement => "Identity",
            Service::ContactManagement => "Contact",
            Service::PlatformManagement => "Platform",
        }
    }
}

/// Whether a call may be sent again when its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It changes nothing.
    Safe,
    /// A repetition changes nothing more.
    Idempotent,
    /// Only under an Idempotency-Key.
    WithKey,
}

/// An HTTP method of the JSON door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// Read.
    Get,
    /// Create or act.
    Post,
    /// Merge patch.
    Patch,
    /// Delete.
    Delete,
}

impl Verb {
    /// As HTTP writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Post => "POST",
            Verb::Patch => "PATCH",
            Verb::Delete => "DELETE",
        }
    }
}

/// What the body of a JSON request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// There is none.
    None,
    /// An object with the names of the arguments.
    Arguments,
    /// One argument: the entity with the changed fields.
    Entity(&'static str),
    /// Bytes of this media type, which are one argument.
    Bytes(&'static str, &'static str),
}

/// The address of a method on the JSON door.
#[derive(Debug, Clone, Copy)]
pub struct Http {
    /// HTTP method.
    pub verb: Verb,
    /// Below `/api/v1`. `{argument}` is the identity of that argument, `{argument.field}` a text.
    pub path: &'static str,
    /// Query parameters with the fields they set.
    pub query: &'static [(&'static str, &'static str)],
    /// Body.
    pub body: Body,
    /// Status of success.
    pub status: u16,
    /// Where what was made can be read; `{id}` is its internalId.
    pub location: &'static str,
    /// A second path: of one item of what the first takes many of, or of the parts of one object. A list of one is
    /// answered as that one.
    pub also: &'static str,
}

impl Http {
    /// A GET.
    pub const fn get(path: &'static str) -> Self {
        Self {
            verb: Verb::Get,
            path,
            query: &[],
            body: Body::None,
            status: 200,
            location: "",
            also: "",
        }
    }

    /// A POST whose body holds the arguments.
    pub const fn post(path: &'static str) -> Self {
        Self {
            verb: Verb::Post,
            path,
            query: &[],
            body: Body::Arguments,
            status: 201,
            location: "",
            also: "",
        }
    }

    /// A PATCH of an entity.
    pub const fn patch(path: &'static str, argument: &'static str) -> Self {
        Self {
            verb: Verb::Patch,
            path,
            query: &[],
            body: Body::Entity(argument),
            status: 200,
            location: "",
            also: "",
        }
    }

    /// A DELETE.
    pub const fn delete(path: &'static str) -> Self {
        Self {
            verb: Verb::Delete,
            path,
            query: &[],
            body: Body::None,
            status: 204,
            location: "",
            also: "",
        }
    }

    /// Adds query parameters.
    pub const fn query(mut self, query: &'static [(&'static str, &'static str)]) -> Self {
        self.query = query;
        self
    }

    /// Sets the status of success.
    pub const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Sets the body.
    pub const fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// Sets where what was made can be read.
    pub const fn location(mut self, location: &'static str) -> Self {
        self.location = location;
        self
    }

    /// Adds a second path.
    pub const fn also(mut self, path: &'static str) -> Self {
        self.also = path;
        self
    }

    /// How many steps of a path the address stands for: pointers are relative to what the caller wrote.
    pub fn steps_in_address(&self) -> usize {
        match self.body {
            Body::Entity(_) => 1,
            Body::None if self.path.contains('{') => 1,
            _ => 0,
        }
    }
}

/// What is answered.
#[derive(Clone, Copy)]
pub enum Output {
    /// Nothing.
    None,
    /// An object of a shape.
    One(&'static Shape),
    /// Objects of a shape.
    Many(&'static Shape),
    /// Text.
    Text,
    /// Names with values.
    Attributes,
}

/// What a method made ready before its unit of work, so that the one writer does not have to.
pub type Prepared = Option<Box<dyn Any + Send>>;

/// How a method runs: on a snapshot, or in a unit of work that is durable before the answer goes out.
#[derive(Clone, Copy)]
pub enum Run {
    /// Reads.
    Read(fn(&dyn Snapshot, &Context, View<'_>) -> Outcome<Answer>),
    /// Writes.
    Write(fn(&mut dyn Transaction, &Context, View<'_>) -> Outcome<Answer>),
}

/// A step before the unit of work, beside other calls.
#[derive(Clone, Copy)]
pub enum Prepare {
    /// Takes milliseconds, such as hashes of passwords, or reads the store: off the async threads.
    Slow(fn(&Store, &mut Context, View<'_>) -> Outcome<()>),
    /// Takes less than a change of threads is worth.
    Quick(fn(&Context, View<'_>)),
}

/// A method.
pub struct Method {
    /// Its name on both doors.
    pub name: &'static str,
    /// The service it belongs to.
    pub service: Service,
    /// Whether SOAP has it too.
    pub soap: bool,
    /// The published text.
    pub doc: &'static str,
    /// Roles that may call it.
    pub access: &'static [Role],
    /// Retry promise.
    pub retry: Retry,
    /// Arguments.
    pub input: Shape,
    /// Answer.
    pub output: Output,
    /// Codes the seed lists for it; none = natural codes.
    pub codes: Option<&'static [Code]>,
    /// What must hold between arguments (stage 4).
    pub rule: Option<fn(View<'_>, &mut Findings)>,
    /// A step before the unit of work.
    pub prepare: Option<Prepare>,
    /// JSON address.
    pub http: Http,
    /// What it does.
    pub run: Run,
    /// Arguments of an example, which the documents show and a test runs.
    pub example: fn() -> serde_json::Value,
}

/// Who may do what (`api.md` 1.11).
pub mod access {
    use carillon_model::Role::{
        self, AccountManager, Agent, ApiUser, EnterpriseManager, Supervisor, SystemAdministrator,
    };

    /// Users and keys.
    pub const MANAGERS: &[Role] = &[SystemAdministrator, EnterpriseManager, AccountManager];
    /// Orgs and their limits.
    pub const ORG_MANAGERS: &[Role] = MANAGERS;
    /// Whoever changes things.
    pub const WRITERS: &[Role] = &[
        SystemAdministrator,
        EnterpriseManager,
        AccountManager,
        ApiUser,
    ];
    /// Whoever runs campaigns.
    pub const OPERATORS: &[Role] = &[
        SystemAdministrator,
        EnterpriseManager,
        AccountManager,
        ApiUser,
        Supervisor,
    ];
    /// Whoever reads.
    pub const READERS: &[Role] = OPERATORS;
    /// Everybody with a role.
    pub const AGENTS: &[Role] = &[
        SystemAdministrator,
        EnterpriseManager,
        AccountManager,
        ApiUser,
        Supervisor,
        Agent,
    ];
    /// Users are no business of ApiUsers, except to look.
    pub const EVERYBODY: &[Role] = &[];
}
