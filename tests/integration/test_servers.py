"""The servers that the other tests stand on."""

import smtplib
from email.message import EmailMessage
from typing import Any

import MySQLdb
import pika
import pymongo

from dev.program import Running
from tests.conftest import SmtpSink


def test_mongodb_keeps_what_it_acknowledged_over_a_kill(mongodb_server: Running, mongodb_url: str) -> None:
    with pymongo.MongoClient[dict[str, Any]](mongodb_url) as client:
        client["servers"]["kept"].insert_one({"_id": 1})

        mongodb_server.kill()
        mongodb_server.start()

        assert client["servers"]["kept"].find_one() == {"_id": 1}


def test_rabbitmq_keeps_a_confirmed_message_over_a_restart(
    rabbitmq_server: Running, rabbitmq_url: str
) -> None:
    parameters = pika.URLParameters(rabbitmq_url)
    with pika.BlockingConnection(parameters) as connection:
        channel = connection.channel()
        channel.queue_declare("kept", durable=True, arguments={"x-queue-type": "quorum"})
        channel.confirm_delivery()
        channel.basic_publish("", "kept", b"hello", mandatory=True)

    rabbitmq_server.stop()
    rabbitmq_server.start()

    with pika.BlockingConnection(parameters) as connection:
        assert connection.channel().basic_get("kept", auto_ack=True)[2] == b"hello"


def test_the_database_user_may_make_databases_of_its_own(mysql_url: str) -> None:
    host = mysql_url.partition("@")[2].partition("/")[0]
    password = mysql_url.split(":")[2].partition("@")[0]
    connection = MySQLdb.connect(
        host="127.0.0.1", port=int(host.partition(":")[2]), user="auth", password=password
    )
    cursor = connection.cursor()

    cursor.execute("CREATE DATABASE auth_of_a_test")

    cursor.execute("SHOW DATABASES")
    assert {"auth", "auth_of_a_test"} <= {name for (name,) in cursor.fetchall()}
    cursor.execute("DROP DATABASE auth_of_a_test")
    connection.close()


def test_the_mail_sink_keeps_what_it_took(smtp_sink: SmtpSink) -> None:
    mail = EmailMessage()
    mail["To"], mail["From"], mail["Subject"] = "a@servers.example", "b@servers.example", "Hello"
    mail.set_content("Grüße")

    with smtplib.SMTP("127.0.0.1", smtp_sink.server.program.ports[0]) as session:
        session.send_message(mail)

    [received] = smtp_sink.mails(to="a@servers.example")
    assert received["Subject"] == "Hello"
    assert received.get_content() == "Grüße\n"
