"""One HTTP client for all services: retries over mirrors, limits, circuit breakers and a cache."""
