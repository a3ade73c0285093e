"""Gives the requests that schemathesis makes up something real to be about, and somebody to ask them. Counts what was answered."""

import atexit
import collections
import json
import os
import pathlib
import sys

import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from accepted import ACCEPTED  # noqa: E402
from prepared import LASTING, PREPARED, request  # noqa: E402
from world import load  # noqa: E402

WORLD = load(os.environ["API_WORLD"])

# Operations that end what they are about, or use it up: each request gets another.
USE_UP = {
    "DELETE /api/admin/organizations/{organization_id}",
    "DELETE /api/api-keys/{key_id}",
    "DELETE /api/groups/{group_id}",
    "DELETE /api/groups/{group_id}/machines/{machine_id}",
    "DELETE /api/groups/{group_id}/members",
    "DELETE /api/machines/{agent_id}",
    "DELETE /api/roles/{role_id}",
    "DELETE /api/terminal/sessions/{session_id}",
    "DELETE /api/terminal/sessions/{session_id}/shares/{share_id}",
    # A session has few links.
    "POST /api/terminal/sessions/{session_id}/share-links",
    "DELETE /api/users/{user_id}",
    "DELETE /api/users/{user_id}/mfa",
    "DELETE /v1/machines/{machine_id}",
    "DELETE /v1/organizations/{organization_id}",
    "DELETE /v1/users/{user_id}",
    "POST /v1/auth/logout",
    # An account has few keys.
    "POST /api/api-keys",
    "POST /api/auth/logout",
}

# Operations after which a token is good for nothing.
SIGNS_OUT = {
    "POST /api/auth/change-password",
    "POST /api/auth/logout",
    "POST /api/profile/reset-password",
    "POST /api/users/password",
    "POST /v1/auth/logout",
}

# By operation, how many requests had which answer; and how often each failure was accepted that `accepted.py` names.
answers = collections.defaultdict(collections.Counter)
accepted = collections.Counter()
# What requests are about that leave it as it is; the requests that are sent as they were prepared; and who asks for several.
lasting, as_prepared, person = {}, set(), {}
# Operations that are asked by people about their own account.
in_person = set()
made_up = 0


def is_open(operation):
    return {} in operation.definition.raw.get("security", [])


def prepare(operation):
    """A request that must succeed."""
    prepared = PREPARED[operation.label](WORLD) if operation.label in PREPARED else request()
    for parameter in operation.path_parameters:
        if parameter.name not in prepared["path"] and parameter.name in LASTING:
            prepared["path"][parameter.name] = LASTING[parameter.name](WORLD)
    if prepared["token"] not in (None, WORLD.token):
        in_person.add(operation.label)
    return prepared


def about(operation):
    """The things that a request may be about, and who may ask for them."""
    if operation.label in USE_UP:
        return prepare(operation)
    if operation.label not in lasting:
        lasting[operation.label] = prepare(operation)
    return lasting[operation.label]


@schemathesis.auth(refresh_interval=None)
class Caller:
    """The administrator's key, for requests that are not prepared."""

    def get(self, case, context):
        return None if case.id in as_prepared or is_open(context.operation) else f"Bearer {WORLD.key}"

    def set(self, case, data, context):
        case.headers["Authorization"] = data


@schemathesis.hook
def before_add_examples(context, examples):
    operation = context.operation
    prepared = prepare(operation)
    parts = {"path_parameters": prepared["path"], "query": prepared["query"]}
    if not is_open(operation) or prepared["token"]:
        parts["headers"] = {"Authorization": f"Bearer {prepared['token'] or WORLD.key}"}
    elif prepared["cookie"]:
        parts["headers"] = {"Cookie": prepared["cookie"]}
    if operation.body:
        parts |= {"body": prepared["body"] or {}, "media_type": prepared["media_type"]}
    case = operation.Case(**parts)
    # Nothing public says this of a request that was made by hand.
    case._has_explicit_auth = True
    as_prepared.add(case.id)
    examples.append(case)


def is_of_document(case):
    """Whether the method is one that the path has."""
    return case.method.upper() == case.operation.method.upper()


def is_needed(case):
    """Whether a request may end what all others need."""
    writes = ("DELETE",) if "agent_id" in case.path_parameters else ("DELETE", "PUT", "POST")
    return case.method.upper() in writes and any(
        case.path_parameters.get(name) in ids for name, ids in WORLD.needed.items()
    )


@schemathesis.hook
def before_call(context, case, kwargs):
    global made_up
    if case.id in as_prepared or not is_of_document(case):
        return
    made_up += 1
    if isinstance(case.body, dict):
        # An agent that has to come from elsewhere does not come back, and others need it.
        if case.body.get("networks_for_agents") is True:
            case.body["networks_for_agents"] = False
        # For a machine that has no agent, that is as long as a command may take.
        if case.body.get("when_online") is True and case.body.get("wait") is True:
            case.body["wait"] = False
    is_wrong = case.meta is not None and case.meta.is_negative_at(ParameterLocation.PATH)
    # Requests that follow one another are about what the one before made.
    follows = case.meta is not None and case.meta.phase.name == TestPhase.STATEFUL
    # Now and then, what is read does not exist.
    is_absent = case.method.upper() == "GET" and made_up % 4 == 0
    things = request(token=one_person()) if follows and case.operation.label in in_person else about(case.operation)
    if is_needed(case) or not (is_wrong or follows or is_absent):
        case.path_parameters |= {name: value for name, value in things["path"].items() if name != "token"}
    if things["token"] and case.headers.get("Authorization") == f"Bearer {WORLD.key}":
        case.headers["Authorization"] = f"Bearer {things['token']}"


def one_person():
    """The token of somebody who asks all requests that a key may not, while it is good."""
    if "token" not in person:
        person["token"] = WORLD.person()["token"]
    return person["token"]


@schemathesis.hook
def after_call(context, case, response):
    if is_of_document(case):
        answers[case.operation.label][response.status_code] += 1
    if response.status_code == 401 or case.operation.label in SIGNS_OUT and response.status_code == 200:
        person.clear()


@schemathesis.hook
def filter_failure(context, failure, case, response):
    for rule in ACCEPTED:
        if rule.covers(failure, case, response):
            accepted[rule.reason] += 1
            return False
    return True


@atexit.register
def tell():
    rules = {rule.reason: accepted[rule.reason] for rule in ACCEPTED}
    pathlib.Path(os.environ["API_ANSWERS"]).write_text(json.dumps({"answers": answers, "accepted": rules}))
