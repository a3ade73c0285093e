"""For each operation a request that must succeed: what it is about exists, and what it proves is right.

What is not said here is about things that stay as they are, by the names of the parameters in paths."""

import os

from world import GIF, NEW_PASSWORD, PASSWORD, PNG, PUBLIC_KEY, code


def request(path=None, query=None, body=None, token=None, media_type="application/json", cookie=None):
    """Parts of a request. `token` is for those that must come from the person that `path` or `body` is about."""
    # What stands in a path is a text.
    path = {name: str(value) for name, value in (path or {}).items()}
    parts = {"path": path, "query": query or {}, "body": body, "token": token}
    return parts | {"media_type": media_type, "cookie": cookie}


def of_person(body, path=None):
    """A request of somebody about their own account, with a body made of who they are."""

    def prepare(world):
        person = world.person()
        return request(token=person["token"], body=body(person) if body else None, path=path)

    return prepare


def of_host(world):
    """A request for a terminal on a host that the machine's service knows."""
    return request(token=world.token, path={"hostname": "web"})


def enroll(world):
    body = {"public_key": PUBLIC_KEY, "hostname": "host", "os": "Debian 12 x86_64", "version": "1.0.0"}
    return request(body=body | {"token": world.new_machine()["registration_token"]})


def change_password(world):
    person = world.person()
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    return request(token=person["token"], body=body)


def login(world):
    return request(body={"email": world.person()["email"], "password": PASSWORD})


def company(world):
    name = world.name("company")
    return {
        "username": name,
        "email": f"{name}@example.com",
        "password": PASSWORD,
        "first_name": "Ann",
        "last_name": "Smith",
        "organization_name": name,
        "company_name": "The Company",
    }


def confirm_second_factor(world):
    person = world.person()
    secret = world.ask("POST", "/api/auth/mfa/enroll", token=person["token"])["secret"]
    return request(token=person["token"], body={"code": code(secret)})


def with_second_factor(world):
    return request(token=world.with_second_factor()["token"], body={"password": PASSWORD})


def verify_factor(world):
    waits, mailed = world.needs_a_mailed_code()
    return request(body={"mfa_token": waits["mfa_token"], "code": mailed})


def verify_otp(world):
    waits, mailed = world.needs_a_mailed_code()
    return request(body={"username": waits["username"], "otp_code": mailed})


def delete_key(world):
    person = world.person()
    return request(token=person["token"], path={"key_id": world.key_of(person)})


def service_file(world):
    """A file of a service."""
    name = world.name("file")
    world.ask("PUT", f"/api/services/web/files/inputs/{name}", {"content": "a"})
    return request(path={"file_name": name})


def group_with_machine(world):
    group = world.group(machine_ids=[world.machine["id"]])
    return request(path={"group_id": group, "machine_id": world.machine["id"]})


def group_with_member(world):
    user = world.colleague()
    return request(path={"group_id": world.group(member_ids=[user])}, query={"user_id": user})


def lent_machine(world):
    machine, user = world.new_machine()["agent_id"], world.colleague()
    world.ask("POST", f"/api/machines/{machine}/access/grant", {"user_id": user})
    return request(path={"agent_id": machine}, body={"user_id": user})


def command(world):
    """A command that has not ended, on a machine that nobody enrolled."""
    machine = world.new_machine()["agent_id"]
    body = {"command": "true", "when_online": True}
    return world.ask("POST", f"/api/machines/{machine}/command", body)["command_id"]


def job(world):
    """A run of the machine's service."""
    return world.ask("POST", "/api/services/web/run", {"script": "deploy"})["job_id"]


def running_job(world):
    """One that does not end by itself. Of scripts many run at once, of deployments one."""
    return world.ask("POST", "/api/services/waits/run", {"script": "deploy"})["job_id"]


def past_job(world):
    """One that is over."""
    job = running_job(world)
    world.ask("DELETE", f"/api/jobs/{job}")
    return world.over(job)


SCHEDULE = {"name": "a schedule", "service": "web", "cron": "@daily", "enabled": False}


def of_schedule(body=None):
    """A request about a schedule of the machine's service, which is off."""

    def prepare(world):
        return request(path={"schedule_id": world.ask("POST", "/api/schedules", SCHEDULE)["id"]}, body=body)

    return prepare


def inventory_type(world):
    """A type that nothing is of."""
    slug = world.name("type").lower()
    fields = [{"name": "name", "type": "string"}]
    return world.ask("POST", "/api/inventory/types", {"slug": slug, "label": "Type", "fields": fields})["slug"]


def credential(world):
    """A thing with a secret."""
    body = {"data": {"name": world.name("credential"), "value": "a secret"}}
    return world.ask("POST", "/api/inventory/credential", body)["id"]


def tag(world):
    return world.ask("POST", "/api/inventory/tags", {"name": world.name("tag")})["id"]


def of_thing(body=None, **more):
    """A request about a thing, with what `more` makes of it for its path."""

    def prepare(world):
        thing = {"type_slug": "credential", "object_id": credential(world)}
        path = {name: make(world, thing["object_id"]) for name, make in more.items()}
        return request(path=thing | path, body=body(world) if callable(body) else body)

    return prepare


def service(world):
    """The thing that the runner's service is."""
    found = world.ask("GET", "/api/inventory/service?f.name=web")
    return found["objects"][0]["id"]


def view(world):
    return {"role_id": int(world.role()), "permission": "view"}


def rule(world, thing):
    return world.ask("POST", f"/api/inventory/credential/{thing}/acl", view(world))["id"]


def tag_permission(world):
    of = tag(world)
    made = world.ask("POST", f"/api/inventory/tags/{of}/permissions", view(world))
    return request(path={"tag_id": of, "permission_id": made["id"]})


def logged(world):
    """The row of a command in the log."""
    agent = world.machine["agent_id"]
    sent = world.ask("POST", f"/api/machines/{agent}/command", {"command": "true", "wait": True})["command_id"]
    return world.log_key(sent)


def requested(world, decided=None):
    """Somebody's request for a machine of the administrator's."""
    name = world.name("asker")
    world.colleague(name)
    token = world.signed_in(name)
    asked = world.ask("POST", "/api/access-requests", {"machine_id": world.new_machine()["id"]}, token=token)
    if decided:
        world.ask("POST", f"/api/access-requests/{asked['id']}/{decided}")
    return asked["id"], token


def request_of(decided=None):
    return lambda world: request(path={"request_id": requested(world, decided)[0]})


def ask_for_machine(world):
    token = requested(world)[1]
    return request(token=token, body={"machine_id": world.new_machine()["id"]})


def cancel_request(world):
    asked, token = requested(world)
    return request(token=token, path={"request_id": asked})


def issue(world):
    return world.ask("POST", "/api/community/issues", {"title": "an issue", "description": "a text"})["issue"]["id"]


def part_of_issue(kind, kinds):
    """A request about a fix or a comment."""

    def prepare(world):
        about = issue(world)
        made = world.ask("POST", f"/api/community/issues/{about}/{kinds}", {"content": "a text"})
        return request(path={"issue_id": about, f"{kind}_id": made[kind]["id"]})

    return prepare


WEBHOOK = {"name": "a webhook", "url": "http://127.0.0.1:9/"}
RULE = {"name": "a rule", "event": "command"}


def of_webhook(body=None, delivery=False):
    """A request about a webhook of somebody's own, and perhaps a delivery of it."""

    def prepare(world):
        token = world.person()["token"]
        webhook = world.ask("POST", "/api/webhooks", WEBHOOK, token=token)["webhook"]["id"]
        path = {"webhook_id": webhook}
        if delivery:
            path["delivery_id"] = world.ask("POST", f"/api/webhooks/{webhook}/test", token=token)["id"]
        return request(token=token, path=path, body=body)

    return prepare


def of_rule(body=None):
    def prepare(world):
        token = world.person()["token"]
        rule = world.ask("POST", "/api/alerts/rules", RULE, token=token)["id"]
        return request(token=token, path={"rule_id": rule}, body=body)

    return prepare


def ticket(world):
    return request(token=world.token, path={"agent_id": world.machine["agent_id"]})


def shared(world):
    return request(token=world.guest()["token"], path={"share_id": world.share()})


def shared_by_link(world):
    made = world.ask("POST", f"/api/terminal/sessions/{world.unshared()}/share-links", {})
    return request(token=world.guest()["token"], body={"token": made["token"]})


def new_user(world):
    name = world.name("user")
    return {"username": name, "email": f"{name}@example.com"}


def named(kind, **more):
    return lambda world: request(body={"name": world.name(kind)} | more)


def came_back(world):
    body, cookie = world.came_back()
    return request(body=body, cookie=cookie)


def v1_organization(world):
    name = world.name("organization")
    return request(body={"name": "An organization", "slug": name, "admin_email": f"{name}@example.com"})


def v1_lent(world):
    lent = [{"machine_id": world.machine["id"], "access_level": "full"}]
    return request(path={"user_id": world.colleague()}, body={"machine_access": lent})


def public_key_file(world):
    return request(path={"filename": "vsay.pub"})


PREPARED = {
    "GET /agent/download/{filename}": public_key_file,
    "GET /cli/download/{filename}": public_key_file,
    "POST /agent/enroll": enroll,
    "POST /api/admin/organizations": named("organization", display_name="An organization"),
    "DELETE /api/admin/organizations/{organization_id}": lambda world: request(
        path={"organization_id": world.organization()}
    ),
    "GET /api/access-requests": lambda world: request(query={"status": "pending"}),
    "POST /api/access-requests": ask_for_machine,
    "DELETE /api/access-requests/{request_id}": cancel_request,
    "POST /api/access-requests/{request_id}/approve": request_of(),
    "POST /api/access-requests/{request_id}/reject": lambda world: request(
        path={"request_id": requested(world)[0]}, body={"comment": "no"}
    ),
    "POST /api/access-requests/{request_id}/revoke": request_of("approve"),
    "POST /api/alerts/rules": of_person(lambda person: RULE),
    "GET /api/alerts/rules/{rule_id}": of_rule(),
    "PUT /api/alerts/rules/{rule_id}": of_rule(RULE),
    "DELETE /api/alerts/rules/{rule_id}": of_rule(),
    "POST /api/api-keys": of_person(lambda person: {"name": "a key"}),
    "DELETE /api/api-keys/{key_id}": delete_key,
    "POST /api/auth/accept-invite": lambda world: request(
        body={"token": world.invited()["token"], "password": PASSWORD}
    ),
    "POST /api/auth/change-password": change_password,
    "POST /api/auth/forgot-password": lambda world: request(body={"email": world.person()["email"]}),
    "POST /api/auth/invite/{token}": lambda world: request(
        path={"token": world.invited()["token"]}, body={"password": PASSWORD}
    ),
    "POST /api/auth/login": login,
    "POST /api/auth/logout": of_person(None),
    "PUT /api/auth/me": of_person(lambda person: {"display_name": "Ann"}),
    "POST /api/auth/me/ssh-key": of_person(None),
    "DELETE /api/auth/me/ssh-key": of_person(None),
    "POST /api/auth/mfa/backup-codes/regenerate": with_second_factor,
    "POST /api/auth/mfa/confirm": confirm_second_factor,
    "POST /api/auth/mfa/disable": with_second_factor,
    "POST /api/auth/mfa/enroll": of_person(None),
    "POST /api/auth/mfa/verify": verify_factor,
    "POST /api/auth/password-reset/{token}": lambda world: request(
        path={"token": world.forgetful()}, body={"password": NEW_PASSWORD}
    ),
    "POST /api/auth/refresh": lambda world: request(body={"token": world.person()["token"]}),
    "POST /api/auth/reset-password": lambda world: request(
        body={"token": world.forgetful(), "password": NEW_PASSWORD}
    ),
    "POST /api/auth/select-tenant": lambda world: request(body=world.session_token()),
    "POST /api/auth/signup": lambda world: request(body=company(world)),
    "POST /api/auth/verify-email": of_person(None),
    "POST /api/auth/verify-email/{token}": lambda world: request(path={"token": world.unproven()}),
    "POST /api/auth/verify-otp": verify_otp,
    "POST /api/commands": lambda world: request(
        body={"command": "true", "agent_ids": [world.machine["agent_id"]]}
    ),
    "POST /api/commands/{command_id}/decision": lambda world: request(
        path={"command_id": world.awaiting()}, body={"approve": True}
    ),
    "POST /api/commands/{command_id}/cancel": lambda world: request(path={"command_id": command(world)}),
    "POST /api/community/issues": lambda world: request(body={"title": "an issue", "description": "a text"}),
    "PUT /api/community/issues/{issue_id}": lambda world: request(
        path={"issue_id": issue(world)}, body={"status": "closed"}
    ),
    "DELETE /api/community/issues/{issue_id}": lambda world: request(path={"issue_id": issue(world)}),
    "POST /api/community/issues/{issue_id}/comments": lambda world: request(
        path={"issue_id": issue(world)}, body={"content": "a text"}
    ),
    "DELETE /api/community/issues/{issue_id}/comments/{comment_id}": part_of_issue("comment", "comments"),
    "POST /api/community/issues/{issue_id}/fixes": lambda world: request(
        path={"issue_id": issue(world)}, body={"content": "a text"}
    ),
    "DELETE /api/community/issues/{issue_id}/fixes/{fix_id}": part_of_issue("fix", "fixes"),
    "POST /api/community/issues/{issue_id}/fixes/{fix_id}/accept": part_of_issue("fix", "fixes"),
    "POST /api/community/issues/{issue_id}/fixes/{fix_id}/like": part_of_issue("fix", "fixes"),
    "DELETE /api/community/issues/{issue_id}/fixes/{fix_id}/like": part_of_issue("fix", "fixes"),
    "POST /api/community/upload": lambda world: request(body={"file": PNG}, media_type="multipart/form-data"),
    "POST /api/groups": named("group"),
    "DELETE /api/groups/{group_id}": lambda world: request(path={"group_id": world.group()}),
    "POST /api/groups/{group_id}/machines": lambda world: request(
        path={"group_id": world.group()}, body={"machine_ids": [world.machine["agent_id"]]}
    ),
    "DELETE /api/groups/{group_id}/machines/{machine_id}": group_with_machine,
    "POST /api/groups/{group_id}/members": lambda world: request(
        path={"group_id": world.group()}, body={"user_id": world.colleague()}
    ),
    "DELETE /api/groups/{group_id}/members": group_with_member,
    "POST /api/login": login,
    "POST /api/machines": named("machine"),
    "DELETE /api/machines/{agent_id}": lambda world: request(path={"agent_id": world.new_machine()["agent_id"]}),
    "PUT /api/machines/{agent_id}": lambda world: request(
        path={"agent_id": world.new_machine()["agent_id"]}, body={"description": "a machine"}
    ),
    "POST /api/machines/{agent_id}/access/grant": lambda world: request(
        path={"agent_id": world.machine["agent_id"]}, body={"user_id": world.colleague()}
    ),
    "POST /api/machines/{agent_id}/access/revoke": lent_machine,
    "POST /api/machines/{agent_id}/command": lambda world: request(
        path={"agent_id": world.new_machine()["agent_id"]}, body={"command": "true", "when_online": True}
    ),
    "POST /api/machines/{agent_id}/registration-token": lambda world: request(
        path={"agent_id": world.new_machine()["agent_id"]}
    ),
    "POST /api/profile/regenerate-api-key": of_person(None),
    "POST /api/profile/reset-password": change_password,
    "POST /api/profile/upload-avatar": lambda world: request(body={"avatar": GIF}, media_type="multipart/form-data"),
    "GET /api/recordings/files/{token}": lambda world: request(path={"token": world.recording_file()}),
    "DELETE /api/recordings/{recording_id}": lambda world: request(path={"recording_id": world.ended_recording()}),
    "POST /api/recordings/{recording_id}/ticket": lambda world: request(
        token=world.token, path={"recording_id": world.recording()}
    ),
    "GET /api/recordings/{recording_id}/segments/{offset}": lambda world: request(
        path={"recording_id": world.ended_recording(), "offset": 0}
    ),
    "POST /api/roles": named("role"),
    "DELETE /api/roles/{role_id}": lambda world: request(path={"role_id": world.role()}),
    "PUT /api/roles/{role_id}": lambda world: request(
        path={"role_id": world.role()}, body={"description": "a role"}
    ),
    "POST /api/roles/users/{user_id}/roles": lambda world: request(
        path={"user_id": world.colleague()}, body={"role_ids": [int(world.role())]}
    ),
    "POST /api/shares/join": shared_by_link,
    "POST /api/shares/{share_id}/ticket": shared,
    "POST /api/signup": lambda world: request(body=new_user(world) | {"password": PASSWORD}),
    "DELETE /api/terminal/sessions/{session_id}": lambda world: request(path={"session_id": world.session()}),
    "PUT /api/terminal/sessions/{session_id}": lambda world: request(
        path={"session_id": world.terminal()}, body={"name": "a name"}
    ),
    "GET /api/terminal/sessions/{session_id}/shares": lambda world: request(path={"session_id": world.terminal()}),
    "POST /api/terminal/sessions/{session_id}/shares": lambda world: request(
        path={"session_id": world.terminal()}, body={"user_id": world.guest()["id"]}
    ),
    "POST /api/terminal/sessions/{session_id}/share-links": lambda world: request(
        path={"session_id": world.unshared()}
    ),
    "DELETE /api/terminal/sessions/{session_id}/shares/{share_id}": lambda world: request(
        path={"session_id": world.terminal(), "share_id": world.share()}
    ),
    "POST /api/terminal/{agent_id}/ticket": ticket,
    "POST /api/users": lambda world: request(body=new_user(world)),
    "POST /api/users/invite": lambda world: request(body=new_user(world)),
    "POST /api/users/password": change_password,
    "PUT /api/users/profile": of_person(lambda person: {"display_name": "Ann"}),
    "DELETE /api/users/{user_id}": lambda world: request(path={"user_id": world.colleague()}),
    "DELETE /api/users/{user_id}/mfa": lambda world: request(path={"user_id": world.with_second_factor()["id"]}),
    "POST /api/users/{user_id}/resend-invite": lambda world: request(path={"user_id": world.invited()["user"]["id"]}),
    "POST /api/users/{user_id}/reset-password": lambda world: request(
        path={"user_id": world.colleague()}, body={"password": NEW_PASSWORD}
    ),
    "GET /metrics": lambda world: request(token=os.environ["METRICS_TOKEN"]),
    "POST /v1/auth/login": login,
    "POST /api/live/ticket": of_person(None),
    "POST /v1/auth/logout": of_person(None),
    "GET /v1/auth/oidc/authorize": lambda world: request(query=world.attempt()),
    "POST /v1/auth/oidc/callback": came_back,
    "POST /v1/auth/refresh": lambda world: request(body={"refresh_token": world.person()["token"]}),
    "POST /v1/machines": named("machine"),
    "PUT /v1/machines/{machine_id}": lambda world: request(
        path={"machine_id": world.new_machine()["id"]}, body={"description": "a machine"}
    ),
    "POST /v1/organizations": v1_organization,
    "DELETE /v1/organizations/{organization_id}": lambda world: request(
        path={"organization_id": world.organization()}
    ),
    "POST /v1/users/invite": lambda world: request(
        body={"email": f"{world.name('guest')}@example.com", "role": "member"}
    ),
    "POST /v1/users/invitations/{user_id}/resend": lambda world: request(
        path={"user_id": world.invited()["user"]["id"]}
    ),
    "PUT /v1/users/{user_id}/permissions": v1_lent,
    "DELETE /v1/users/{user_id}": lambda world: request(path={"user_id": world.colleague()}),
    "POST /api/webhooks": of_person(lambda person: WEBHOOK),
    "GET /api/webhooks/{webhook_id}": of_webhook(),
    "PUT /api/webhooks/{webhook_id}": of_webhook(WEBHOOK),
    "DELETE /api/webhooks/{webhook_id}": of_webhook(),
    "POST /api/webhooks/{webhook_id}/rotate-secret": of_webhook(),
    "POST /api/webhooks/{webhook_id}/test": of_webhook(),
    "GET /api/webhooks/{webhook_id}/deliveries": of_webhook(),
    "POST /api/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver": of_webhook(delivery=True),
    "PUT /api/services/vault-password": lambda world: request(body={"password": None}),
    "POST /api/services/{name}/files/{subdir}": lambda world: request(
        body={"file": GIF}, media_type="multipart/form-data"
    ),
    "PUT /api/services/{name}/files/{subdir}/{file_name}": lambda world: request(body={"content": "a"}),
    "DELETE /api/services/{name}/files/{subdir}/{file_name}": service_file,
    "GET /api/services/{name}/files/{subdir}/{file_name}": service_file,
    "PUT /api/services/{name}/configs/{config}": lambda world: request(body={"content": "a: 1\n"}),
    "DELETE /v1/machines/{machine_id}": lambda world: request(path={"machine_id": world.new_machine()["id"]}),
    "POST /api/jobs/{job_id}/rerun": lambda world: request(path={"job_id": past_job(world)}),
    "DELETE /api/jobs/{job_id}": lambda world: request(path={"job_id": running_job(world)}),
    "POST /api/schedules": lambda world: request(body=SCHEDULE),
    "GET /api/schedules/preview": lambda world: request(query={"cron": "30 4 * * 1-5", "time_zone": "Europe/Berlin"}),
    "GET /api/schedules/{schedule_id}": of_schedule(),
    "PUT /api/schedules/{schedule_id}": of_schedule({"name": "another name"}),
    "DELETE /api/schedules/{schedule_id}": of_schedule(),
    "GET /api/schedules/{schedule_id}/history": of_schedule(),
    "POST /api/services/{name}/run": lambda world: request(body={"script": "deploy"}),
    "POST /api/inventory/types": lambda world: request(
        body={"slug": world.name("type").lower(), "label": "Type", "fields": [{"name": "name", "type": "string"}]}
    ),
    "GET /api/inventory/types/{slug}": lambda world: request(path={"slug": "server"}),
    "PUT /api/inventory/types/{slug}": lambda world: request(path={"slug": inventory_type(world)}, body={"icon": "box"}),
    "DELETE /api/inventory/types/{slug}": lambda world: request(path={"slug": inventory_type(world)}),
    "POST /api/inventory/tags": named("tag"),
    "PUT /api/inventory/tags/{tag_id}": lambda world: request(path={"tag_id": tag(world)}, body={"color": "#e8984a"}),
    "DELETE /api/inventory/tags/{tag_id}": lambda world: request(path={"tag_id": tag(world)}),
    "GET /api/inventory/tags/{tag_id}/permissions": lambda world: request(path={"tag_id": tag(world)}),
    "POST /api/inventory/tags/{tag_id}/permissions": lambda world: request(path={"tag_id": tag(world)}, body=view(world)),
    "DELETE /api/inventory/tags/{tag_id}/permissions/{permission_id}": tag_permission,
    "GET /api/inventory/{type_slug}": lambda world: request(path={"type_slug": "credential"}),
    "POST /api/inventory/{type_slug}": lambda world: request(
        path={"type_slug": "credential"}, body={"data": {"name": world.name("credential")}}
    ),
    "POST /api/inventory/{type_slug}/actions/{action}": lambda world: request(
        path={"type_slug": "server", "action": "refresh"}
    ),
    "GET /api/inventory/{type_slug}/export": lambda world: request(path={"type_slug": "credential"}),
    "POST /api/inventory/{type_slug}/sync": lambda world: request(path={"type_slug": "user"}),
    "POST /api/inventory/{type_slug}/{object_id}/actions/{action}": lambda world: request(
        path={"type_slug": "service", "object_id": service(world), "action": "stop"}
    ),
    "GET /api/inventory/service/{object_id}/configs": lambda world: request(path={"object_id": service(world)}),
    "GET /api/inventory/service/{object_id}/configs/{config}": lambda world: request(
        path={"object_id": service(world), "config": "config.yaml"}
    ),
    "PUT /api/inventory/service/{object_id}/configs/{config}": lambda world: request(
        path={"object_id": service(world), "config": "config.yaml"}, body={"content": "a: 1\n"}
    ),
    "GET /api/inventory/{type_slug}/{object_id}": of_thing(),
    "PUT /api/inventory/{type_slug}/{object_id}": of_thing({"data": {"username": "root"}}),
    "DELETE /api/inventory/{type_slug}/{object_id}": of_thing(),
    "POST /api/inventory/{type_slug}/{object_id}/reveal": of_thing({"field": "value"}),
    "POST /api/inventory/{type_slug}/{object_id}/tags": of_thing(lambda world: {"tag_ids": [tag(world)]}),
    "DELETE /api/inventory/{type_slug}/{object_id}/tags/{tag_id}": of_thing(tag_id=lambda world, _: tag(world)),
    "GET /api/inventory/{type_slug}/{object_id}/acl": of_thing(),
    "POST /api/inventory/{type_slug}/{object_id}/acl": of_thing(view),
    "DELETE /api/inventory/{type_slug}/{object_id}/acl/{acl_id}": of_thing(acl_id=rule),
    "POST /api/inventory/ws/{object_id}/ticket": lambda world: request(
        token=world.token, path={"object_id": credential(world)}
    ),
    "POST /api/instances/ssh/{hostname}/ticket": of_host,
    "POST /api/inventory/server/ssh/{hostname}/ticket": of_host,
    "POST /api/instances/stop": lambda world: request(body={"label": "web", "region": "mel"}),
    "PUT /api/instances/provider": lambda world: request(body={"api_key": "of-nobody"}),
    "POST /v1/sessions": lambda world: request(body={"machine_id": world.machine["agent_id"]}),
    "DELETE /v1/sessions/{session_id}": lambda world: request(path={"session_id": world.v1_session()}),
    "PUT /api/users/{user_id}/roles": lambda world: request(
        path={"user_id": world.colleague()}, body={"role_ids": []}
    ),
    "POST /api/users/{user_id}/roles": lambda world: request(
        path={"user_id": world.colleague()}, body={"role_ids": []}
    ),
}

# What a parameter in a path names, where the request leaves it as it is.
LASTING = {
    "agent_id": lambda world: world.machine["agent_id"],
    "machine_id": lambda world: world.machine["id"],
    "user_id": lambda world: world.colleague(),
    "organization_id": lambda world: world.organization(),
    "group_id": lambda world: world.group(),
    "issue_id": issue,
    "image_id": lambda world: world.image(),
    "command_id": command,
    "log_key": logged,
    "role_id": lambda world: world.role(),
    "avatar_id": lambda world: world.avatar(),
    "recording_id": lambda world: world.recording(),
    "session_id": lambda world: world.terminal(),
    "share_id": lambda world: world.share(),
    "alert_id": lambda world: world.alert(),
    "job_id": job,
    # A service of the machine.
    "name": lambda world: "web",
    "label": lambda world: "web",
    "hostname": lambda world: "web",
    "object_id": lambda world: str(credential(world)),
    "region": lambda world: "mel",
    "config": lambda world: "config.yaml",
    "subdir": lambda world: "inputs",
    "file_name": lambda world: "a.txt",
}
