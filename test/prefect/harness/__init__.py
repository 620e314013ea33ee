"""Runs flows of Prefect against the server that PREFECT_API_URL names, and writes down what that server then knows."""
