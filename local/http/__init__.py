"""HTTP server of the local API: gateway, authorization by signature, log lines."""
