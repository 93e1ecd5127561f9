"""The prober, as a service of its own."""
