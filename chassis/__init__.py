"""The microservice chassis: what every service needs and no service owns.

Settings, logs, the admin port, web answers, stopping, tokens, crash points.
No Flask route, no business rule; it never imports a service or the pipeline.
"""
