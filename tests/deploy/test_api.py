"""The API as API Gateway gets it: what the local edge cannot show (its own answers, throttling) is read here."""

from __future__ import annotations

import json

import pytest

from chat.errors import KINDS
from tests.deploy.tools import Json, resources

ORIGIN = {"Fn::Sub": "'${FrontendOrigin}'"}
ROUTES = {"/register": "post", "/login": "post", "/logout": "post", "/protected": "get"}
OWN_ANSWERS = {
    "DEFAULT_4XX": "body_invalid",
    "DEFAULT_5XX": "unavailable",
    "MISSING_AUTHENTICATION_TOKEN": "not_found",
    "REQUEST_TOO_LARGE": "too_large",
    "THROTTLED": "rate_limited",
}


@pytest.fixture(scope="module")
def body(template: Json) -> Json:
    return resources(template, "AWS::ApiGateway::RestApi")["Api"]["Body"]


def test_a_path_has_its_method_and_the_question_that_browsers_ask_first(body: Json) -> None:
    assert {path: set(methods) for path, methods in body["paths"].items()} == {
        path: {method, "options"} for path, method in ROUTES.items()
    }


@pytest.mark.parametrize("path", ROUTES)
def test_the_first_question_names_one_origin_and_allows_the_cookie(body: Json, path: str) -> None:
    answer = body["paths"][path]["options"]["x-amazon-apigateway-integration"]["responses"]["default"]
    headers = {name.rpartition(".")[2]: value for name, value in answer["responseParameters"].items()}
    assert headers == {
        "Access-Control-Allow-Origin": ORIGIN,
        "Access-Control-Allow-Credentials": "'true'",
        "Access-Control-Allow-Headers": "'Content-Type,X-Parley-User'",
        "Access-Control-Allow-Methods": "'GET,POST,OPTIONS'",
        "Access-Control-Max-Age": "'600'",
    }


@pytest.mark.parametrize("kind", OWN_ANSWERS)
def test_what_the_gateway_itself_answers_is_read_by_the_page_and_has_our_codes(body: Json, kind: str) -> None:
    answer = body["x-amazon-apigateway-gateway-responses"][kind]
    headers = {name.rpartition(".")[2]: value for name, value in answer["responseParameters"].items()}
    assert headers["Access-Control-Allow-Origin"] == ORIGIN
    assert headers["Access-Control-Allow-Credentials"] == "'true'"
    assert headers["Cache-Control"] == "'no-store'"
    error = json.loads(answer["responseTemplates"]["application/json"])["error"]
    assert error["code"] == OWN_ANSWERS[kind]
    known = KINDS[error["code"]]
    assert (error["message"], error["retry"]) == (known.message, known.retry)
    assert answer.get("statusCode") in (None, str(known.status), known.status)


def test_there_is_no_further_answer_of_its_own(body: Json) -> None:
    assert set(body["x-amazon-apigateway-gateway-responses"]) == set(OWN_ANSWERS)


def test_the_api_is_regional_and_throttled_and_registering_more_so(template: Json) -> None:
    assert resources(template, "AWS::ApiGateway::RestApi")["Api"]["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    (stage,) = resources(template, "AWS::ApiGateway::Stage").values()
    limits = {(each["HttpMethod"], each["ResourcePath"]): each for each in stage["MethodSettings"]}
    assert limits[("*", "/*")]["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
    assert limits[("POST", "/register")]["ThrottlingRateLimit"] == 5
