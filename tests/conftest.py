"""What all tests share: how long property tests look for a counter-example."""

from hypothesis import HealthCheck, settings

# The machine may be busy: time says nothing about correctness here.
settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("fuzz", settings.get_profile("default"), max_examples=5_000)
settings.load_profile("default")
