"""What an operator or a Manager may ask of a gateway and change in it, as pure functions of the hot
state: the same whether a gateway runs or only its store is there.
"""
