use super::*;
use serde_json::Value;

async fn rendered(error: ApiError, surface: Surface) -> (u16, Value) {
    let response = render(error, surface);
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap())
}

fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("nothing here waits"),
    }
}

#[test]
fn each_error_has_one_status_code_and_text_on_each_surface() {
    let table = [
        (ApiError::bad_request("t"), 400, "bad_request", "VALIDATION_ERROR"),
        (
            ApiError::invalid_field("f", "must be"),
            400,
            "validation_failed",
            "VALIDATION_ERROR",
        ),
        (ApiError::unauthorized("t"), 401, "unauthorized", "UNAUTHORIZED"),
        (ApiError::not_authorized(), 403, "forbidden", "FORBIDDEN"),
        (
            ApiError::forbidden("machine_revoked", "t"),
            403,
            "machine_revoked",
            "FORBIDDEN",
        ),
        (ApiError::not_found("t"), 404, "not_found", "NOT_FOUND"),
        (
            ApiError::method_not_allowed(),
            405,
            "method_not_allowed",
            "METHOD_NOT_ALLOWED",
        ),
        (ApiError::conflict("name_taken", "t"), 409, "name_taken", "CONFLICT"),
        (ApiError::too_large(), 413, "payload_too_large", "PAYLOAD_TOO_LARGE"),
        (
            ApiError::upgrade_required("t"),
            426,
            "upgrade_required",
            "UPGRADE_REQUIRED",
        ),
        (ApiError::too_many_requests(), 429, "rate_limited", "RATE_LIMITED"),
        (ApiError::internal("t"), 500, "internal", "INTERNAL_ERROR"),
        (ApiError::misconfigured("t"), 503, "misconfigured", "MISCONFIGURED"),
    ];
    for (error, status, code, v1_code) in table {
        let (api_status, api) = now(rendered(error.clone(), Surface::Api));
        assert_eq!((api_status, &api["code"]), (status, &json!(code)));
        assert_eq!(api["error"], api["detail"]);
        assert!(!api["error"].as_str().unwrap().is_empty());
        let (v1_status, v1) = now(rendered(error, Surface::V1));
        assert_eq!(v1_status, status);
        assert_eq!(
            v1,
            json!({"success": false, "error": {"code": v1_code, "message": api["error"]}})
        );
    }
}

#[test]
fn a_validation_error_names_every_field_and_leads_with_the_first() {
    let fields = vec![
        FieldError {
            field: "name".into(),
            message: "must have 1 to 100 characters".into(),
        },
        FieldError {
            field: "tags".into(),
            message: "must be at most 32 tags".into(),
        },
    ];
    let (_, body) = now(rendered(ApiError::invalid(fields.clone()), Surface::Api));
    assert_eq!(body["error"], "name must have 1 to 100 characters");
    assert_eq!(body["fields"], json!(fields));
}

#[test]
fn the_cause_of_an_internal_error_stays_inside() {
    let scope = log::Scope::new("request-1".to_owned());
    let (_, body) = now(scope.run(rendered(ApiError::internal("no such column: hunter2"), Surface::Api)));
    assert!(!body.to_string().contains("hunter2"), "{body}");
    assert_eq!(body["request_id"], "request-1");
    let refusal = ApiError::bad_request("no").caused_by("hunter2");
    let (_, body) = now(scope.run(rendered(refusal, Surface::Api)));
    assert!(body.get("request_id").is_none(), "{body}");
}

#[test]
fn refusals_say_in_a_header_what_to_do() {
    let header = |error: ApiError, name| {
        render(error, Surface::Api)
            .headers()
            .get(name)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(header(ApiError::unauthorized("t"), header::WWW_AUTHENTICATE), "Bearer");
    assert_eq!(header(ApiError::too_many_requests(), header::RETRY_AFTER), "60");
    assert_eq!(header(ApiError::upgrade_required("t"), header::UPGRADE), "websocket");
}

#[test]
fn the_surface_is_told_by_the_first_part_of_the_path() {
    for path in ["/v1", "/v1/sessions", "/v1/"] {
        assert_eq!(Surface::of(path), Surface::V1, "{path}");
    }
    for path in ["/", "/api/v1", "/v10/x", "/agent/enroll"] {
        assert_eq!(Surface::of(path), Surface::Api, "{path}");
    }
}
