"""The job and its way: what a job is, where its bytes lie, and how messages about it travel.

The only code that knows RabbitMQ and MongoDB.
"""
