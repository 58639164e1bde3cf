"""The nouns of the trunk: frozen values that carry no rule beyond their own consistency."""
