"""The suite on a machine without containers: private servers, the services, and the demo."""
