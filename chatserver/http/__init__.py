"""HTTP for all features: middleware, responses, forms, CSRF, origin, static files."""
