"""auth: users in MySQL, and the tokens that prove who they are."""
