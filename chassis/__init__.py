"""The microservice chassis: what every service needs and no service owns.

Settings, logs, the admin port, tokens, the job document, blobs and queues.
No Flask route, no business rule; it never imports a service.
"""
