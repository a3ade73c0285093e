//! The OpenAPI 3.1 document, which is served as a file beside the browser console's. Handlers describe what is special about them;
//! what is declared of an operation, and what holds for all, is added here.
mod bodies;
mod headers;

use protocol::api::error::ErrorBody;
use protocol::api::v1::{V1Error, V1ErrorBody};
use serde_json::Value;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem, PathsBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::server::ServerBuilder;
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, ContactBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use crate::auth::rule::{Operation as Declared, Rule};
use crate::http::operation::Described;
use crate::platform::error::Surface;

/// The tag of what answers whether the server does: it has none of the failures that all others share.
const HEALTH: &str = "health";

/// The name of the security scheme.
const BEARER: &str = "bearer";

/// Schemas of which requests may have no other fields. Elsewhere those are passed over; their types take any, as agents use them, too.
const STRICT: [&str; 1] = ["CommandPolicy"];

/// What a reader should know before the first request.
const INTRODUCTION: &str = "\
Reach and run your machines: accounts, machines, terminals.

**Signing in.** Every request but those marked as open carries `Authorization: Bearer` with a token from `POST /api/login`, which \
lasts a day, or with an API key from `POST /api/api-keys`, which a program is given.

```sh
curl https://edge.example.com/api/machines -H \"Authorization: Bearer $VSAY_KEY\"
```

**Answers** are JSON. Times are RFC 3339 in UTC. Ids are texts of lowercase hex digits; `int_id` and the ids of roles are whole \
numbers. What belongs to another organization is answered like what does not exist, with 404.

**Errors** have `error` for people, `code` for programs, and with status 400 `fields`, which names each field that was not accepted. \
A 5xx names the server's log line in `request_id`. After 429 wait as long as `Retry-After` says.

**Lists** come whole, or in pages: `?page=1&limit=50`. `total` and `total_pages` say how much there is.";

/// The form of an id in a path, by its name there. What has another form is not looked up.
fn form(name: &str) -> Option<&'static str> {
    match name {
        "agent_id" => Some("^[0-9a-f]{12}$"),
        "alert_id" | "group_id" | "comment_id" | "delivery_id" | "fix_id" | "issue_id" | "key_id" | "machine_id"
        | "recording_id" | "request_id" | "rule_id" | "schedule_id" | "share_id" | "webhook_id" => {
            Some("^[0-9a-f]{24}$")
        }
        "name" => Some("^[A-Za-z0-9][A-Za-z0-9._-]{0,99}(@[0-9a-f]{12})?$"),
        "offset" => Some("^[0-9]{1,19}$"),
        "user_id" => Some("^([0-9a-f]{24}|[1-9][0-9]{0,14})$"),
        "job_id" => Some("^[0-9a-f]{8}$"),
        "command_id" => Some("^cmd_[0-9a-f]{24}([0-9a-f]{8})?$"),
        "log_key" | "role_id" | "object_id" | "tag_id" | "permission_id" | "acl_id" => Some("^[1-9][0-9]{0,14}$"),
        "slug" | "type_slug" => Some("^[a-z][a-z0-9_-]{0,49}$"),
        "action" => Some("^[a-z][a-z0-9_]{0,49}$"),
        "avatar_id" | "image_id" => Some("^[0-9a-f]{32}$"),
        "file_name" => Some(r"^[^/\\\u0000-\u001f\u007f-\u009f]{1,255}$"),
        "subdir" => Some("^(inputs|outputs)$"),
        "config" => Some("^(config|instance|outputs|scripts)[.]yaml$"),
        "hostname" => Some(r"^[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]{1,253}$"),
        "label" | "region" => Some(r"^[^\u0000-\u001f\u007f-\u009f]{1,255}$"),
        "filename" => Some("^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"),
        _ => None,
    }
}

/// Says of the ids in the path of an operation what form they have.
fn describe_ids(operation: &mut Operation) {
    let parameters = operation.parameters.iter_mut().flatten();
    let ids = parameters.filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    });
    for id in ids.filter(|parameter| parameter.parameter_in == ParameterIn::Path) {
        if let Some(pattern) = form(&id.name) {
            let schema = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
            id.schema = Some(schema.build().into());
        }
    }
}

/// What holds for the API as a whole.
fn header() -> OpenApi {
    let info = InfoBuilder::new()
        .title("VSAY Edge")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(INTRODUCTION))
        .contact(Some(ContactBuilder::new().name(Some("VSAY Edge")).build()))
        .build();
    let tag = |name: &str, text: &str| TagBuilder::new().name(name).description(Some(text)).build();
    let mut components = Components::new();
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("A token from /api/login or /api/signup."))
        .build();
    components.add_security_scheme(BEARER, SecurityScheme::Http(scheme));
    components
        .schemas
        .insert(ErrorBody::name().into_owned(), ErrorBody::schema());
    for (name, schema) in [
        (V1ErrorBody::name(), V1ErrorBody::schema()),
        (V1Error::name(), V1Error::schema()),
    ] {
        components.schemas.insert(name.into_owned(), schema);
    }
    let mut nested = Vec::new();
    ErrorBody::schemas(&mut nested);
    components.schemas.extend(nested);
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([ServerBuilder::new()
            .url("/")
            .description(Some("The server that this document came from"))
            .build()]))
        .components(Some(components))
        .security(Some([SecurityRequirement::new(BEARER, [] as [&str; 0])]))
        .tags(Some([
            tag("auth", "Accounts and tokens"),
            tag("machines", "Machines and who may reach them"),
            tag("access requests", "Asking for machines, and deciding upon it"),
            tag("groups", "Groups of people and machines"),
            tag("organizations", "Organizations and their settings"),
            tag("terminal", "Terminals and their sessions"),
            tag("commands", "Commands without a terminal"),
            tag("services", "Services of runners"),
            tag("jobs", "What runs on runners, and what the edge does itself"),
            tag("schedules", "What the clock starts on runners"),
            tag("instances", "Instances at a cloud provider"),
            tag("costs", "What they cost"),
            tag("inventory", "Things of all types, their tags, and rules about them"),
            tag("live", "Being told that something has changed"),
            tag("sessions v1", "Sessions, in the form of the Sessions API"),
            tag("v1", "Signing in, machines, people and organizations in the same form"),
            tag("community", "Issues of the organization, and how they were fixed"),
            tag("agent", "What the agent on a machine calls"),
            tag("downloads", "The programs that this edge hands out"),
            tag("branding", "How the product is called here, and what it looks like"),
            tag("operation", "What whoever runs the server watches"),
            tag(HEALTH, "Whether the server answers"),
        ]))
        .build()
}

/// Completes what a handler says of its operation by what is declared of it and what it shares with its kind.
fn complete(operation: &mut Operation, declared: &Declared, tag: &str, surface: Surface) {
    let add = |operation: &mut Operation, status: &str, text: &str| add(operation, status, text, surface);
    describe_ids(operation);
    if operation.tags.is_none() {
        operation.tags = Some(vec![tag.to_owned()]);
    }
    let open = declared.rule == Rule::Open;
    if open && operation.security.is_none() {
        operation.security = Some(vec![SecurityRequirement::default()]);
    }
    if tag == HEALTH {
        return;
    }
    if operation.request_body.is_some() {
        add(
            operation,
            "400",
            "The body is malformed, or a field breaks its rule; `fields` says which",
        );
        add(operation, "413", "The body is too large");
        add(operation, "415", "The body is compressed");
    }
    if operation.parameters.is_some() {
        add(operation, "400", "A parameter is malformed");
    }
    if !open {
        add(operation, "401", "The token is missing, wrong, expired or revoked");
        add(
            operation,
            "403",
            "The caller's API key may only read, or the caller must choose a password first; `code` says which",
        );
    }
    if surface == Surface::V1 {
        add(operation, "429", "Too many requests in a minute");
    }
    add(operation, "500", "A defect of ours; `request_id` names the log line");
    add(operation, "503", "A setting is missing; `error` says which");
}

/// The same operation at another path.
fn alias(item: &PathItem) -> PathItem {
    let mut item = item.clone();
    for operation in operations(&mut item) {
        operation.operation_id = operation.operation_id.as_ref().map(|id| format!("{id}_alias"));
    }
    item
}

/// The finished document.
pub fn document() -> Value {
    // Types without a surprise: this does not fail.
    let mut document = serde_json::to_value(described()).unwrap_or_default();
    bodies::complete(&mut document);
    headers::complete(&mut document);
    for name in STRICT {
        let schema = document.pointer_mut(&format!("/components/schemas/{name}"));
        if let Some(schema) = schema.and_then(Value::as_object_mut) {
            schema.insert("additionalProperties".to_owned(), false.into());
        }
    }
    document
}

/// What handlers and declarations say.
fn described() -> OpenApi {
    let mut document = header();
    for Described {
        description: (schemas, paths),
        declared,
        tag,
        aliases,
    } in crate::router::api().into_described()
    {
        document.components.get_or_insert_default().schemas.extend(schemas);
        for (path, mut item) in paths.paths {
            for operation in operations(&mut item) {
                complete(operation, &declared, tag, Surface::of(&path));
            }
            for other in aliases {
                document
                    .paths
                    .merge(PathsBuilder::new().path(*other, alias(&item)).build());
            }
            document.paths.merge(PathsBuilder::new().path(path, item).build());
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.post,
        &mut item.put,
        &mut item.patch,
        &mut item.delete,
    ]
    .into_iter()
    .flatten()
}

/// Adds a failure, unless the handler said something about it itself.
fn add(operation: &mut Operation, status: &str, text: &str, surface: Surface) {
    let body = match surface {
        Surface::Api => ErrorBody::name(),
        Surface::V1 => V1ErrorBody::name(),
    };
    let content = ContentBuilder::new()
        .schema(Some(RefOr::Ref(Ref::from_schema_name(body))))
        .build();
    let response = ResponseBuilder::new()
        .description(text)
        .content("application/json", content)
        .build();
    operation
        .responses
        .responses
        .entry(status.to_owned())
        .or_insert(RefOr::T(response));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_that_is_served_is_that_of_the_handlers() {
        let served: serde_json::Value = serde_json::from_str(include_str!("../web/public/openapi.json")).unwrap();
        assert!(
            served == document(),
            "out of date: cargo run --example openapi > web/public/openapi.json && npm --prefix web run generate"
        );
    }

    #[test]
    fn every_operation_has_a_summary_a_tag_an_id_and_a_failure() {
        let mut document = described();
        assert!(document.paths.paths.len() >= 12);
        for (path, item) in &mut document.paths.paths {
            for operation in operations(item) {
                assert!(
                    operation.summary.is_some() && operation.operation_id.is_some(),
                    "{path}"
                );
                assert_eq!(operation.tags.as_ref().map(Vec::len), Some(1), "{path}");
                assert!(
                    ["/health", "/ready"].contains(&path.as_str()) || operation.responses.responses.contains_key("500"),
                    "{path}"
                );
            }
        }
    }

    #[test]
    fn every_reference_in_the_document_leads_somewhere() {
        let value = document();
        let text = value.to_string();
        assert!(value["openapi"].as_str().unwrap().starts_with("3.1"));
        for part in text.split("\"#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(value["components"]["schemas"][name].is_object(), "{name}");
        }
    }

    #[test]
    fn every_id_in_a_path_has_a_form_and_every_number_in_a_query_is_one() {
        // Names that people choose, and secrets.
        let free = ["organization_id", "session_id", "token"];
        let document = document();
        for (path, item) in document["paths"].as_object().unwrap() {
            for operation in item.as_object().unwrap().values() {
                for parameter in operation["parameters"].as_array().into_iter().flatten() {
                    let (name, schema) = (parameter["name"].as_str().unwrap(), &parameter["schema"]);
                    if parameter["in"] == "path" && !free.contains(&name) {
                        assert!(schema["pattern"].is_string(), "{path}: {name}");
                    }
                    if ["page", "limit", "per_page"].contains(&name) {
                        assert!(
                            schema["type"].to_string().contains("integer"),
                            "{path}: {name} {schema}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn only_the_doors_are_open() {
        let document = described();
        let open: Vec<&str> = document
            .paths
            .paths
            .iter()
            .filter(|(_, item)| {
                [&item.get, &item.post].into_iter().flatten().any(|operation| {
                    operation
                        .security
                        .as_ref()
                        .is_some_and(|needs| needs.contains(&SecurityRequirement::default()))
                })
            })
            .map(|(path, _)| path.as_str())
            .collect();
        assert_eq!(
            open,
            [
                "/agent/download/{filename}",
                "/agent/enroll",
                "/api/auth/accept-invite",
                "/api/auth/forgot-password",
                "/api/auth/invite/{token}",
                "/api/auth/login",
                "/api/auth/mfa/verify",
                "/api/auth/oidc/github",
                "/api/auth/oidc/github/callback",
                "/api/auth/oidc/microsoft",
                "/api/auth/oidc/microsoft/callback",
                "/api/auth/oidc/sso",
                "/api/auth/oidc/sso/callback",
                "/api/auth/password-reset/{token}",
                "/api/auth/refresh",
                "/api/auth/reset-password",
                "/api/auth/select-tenant",
                "/api/auth/setup",
                "/api/auth/setup-required",
                "/api/auth/signup",
                "/api/auth/status",
                "/api/auth/verify-email/{token}",
                "/api/auth/verify-otp",
                "/api/avatars/{avatar_id}",
                "/api/branding",
                "/api/community/images/{image_id}",
                "/api/jobs/ws/{job_id}",
                "/api/login",
                "/api/oidc/providers",
                "/api/recordings/files/{token}",
                "/api/signup",
                "/cli/download/{filename}",
                "/health",
                "/install.sh",
                "/metrics",
                "/ready",
                "/v1/auth/login",
                "/v1/auth/oidc/authorize",
                "/v1/auth/oidc/callback",
                "/v1/auth/refresh",
                "/v1/sessions/{session_id}/ws",
            ]
        );
    }
}
