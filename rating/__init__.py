"""Money, numbers, tariffs and credit: what a call may cost, may spend and did cost.

Pure: no clock, no entropy, no IO; amounts are whole micro-units of a currency.
"""
