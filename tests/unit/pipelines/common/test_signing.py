"""Hashes and signatures are over JSON that any language writes the same."""

import pytest

from ringwatch.pipelines.common.signing import (
    canonical_json,
    content_sha256,
    is_content_sha256,
    is_signed,
    sha256,
    sign,
)

pytestmark = pytest.mark.unit


def test_json_is_written_as_the_rfcs_own_example():
    example = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": '€$\x0f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    assert canonical_json(example).decode() == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_a_number_is_the_same_whatever_read_it():
    assert sign({"share": 1.0}, "secret") == sign({"share": 1}, "secret")


def test_what_was_hashed_and_signed_before_can_still_be_checked():
    facts, files = {"share": 1.0, "none": 0.0}, {"a.csv": "00"}
    former = sha256(b'{"facts":{"none":0.0,"share":1.0},"files":{"a.csv":"00"}}')
    assert former != content_sha256(facts, files)
    assert is_content_sha256(former, facts, files)
    assert not is_content_sha256(former, {**facts, "share": 0.5}, files)
    signed = {"share": 1.0, "hmac": "9f400de11b0bc6fead75a0e74eb73457919e0fa34f594dbd97969ca31d575246"}
    assert is_signed(signed, "secret")
    assert not is_signed({**signed, "share": 0.5}, "secret")
    assert not is_signed(signed, "other")
