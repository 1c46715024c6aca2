"""The signatures are those of Standard Webhooks: the example of its libraries."""

from notification import signatures

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, SECONDS, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'


def test_the_example_of_the_specifications_libraries_is_signed_as_there() -> None:
    made = signatures.headers([SECRET], ID, SECONDS, BODY)

    assert made == {
        "webhook-id": ID,
        "webhook-timestamp": str(SECONDS),
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
