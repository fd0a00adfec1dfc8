"""The first guess of the rate: known before the year, continuous, and carried where the table ends."""

import numpy as np

from bifrost_lib.core.policy_rate import policy_rates


def test_a_year_has_the_rate_of_the_december_before():
    ts = np.array(["2014-06-06T20:00", "2023-12-29T21:00", "2024-01-02T14:30"], dtype="datetime64[us]")
    np.testing.assert_allclose(np.expm1(policy_rates(ts)), [0.0009, 0.0410, 0.0533], rtol=1e-12)


def test_years_outside_the_table_take_its_ends():
    ts = np.array(["1985-01-02", "1990-01-02", "2059-01-02"], dtype="datetime64[us]")
    early, first, late = policy_rates(ts)
    assert early == first
    assert late == policy_rates(np.array(["2026-03-02"], dtype="datetime64[us]"))[0]
