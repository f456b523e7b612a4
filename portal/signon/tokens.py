"""What an id_token must be before a word of it is believed (OpenID Connect Core 1.0, section 3.1.3.7).

allauth leaves the signature alone where the token came straight from the provider, and knows no nonce: we look at both.
"""

import hmac
from typing import Any

import jwt

# Signatures by a key pair only: whoever holds the client's secret must not be able to sign for the provider.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
LEEWAY = 60  # seconds that two clocks may differ
NEEDED = ["iss", "aud", "exp", "iat", "sub", "nonce"]


class Unproven(Exception):
    """The token proves nothing. The text says why, and holds nothing of the token."""


def claims_of(token: str, *, keys: dict[str, Any], issuer: str, client_id: str, nonce: str) -> dict[str, Any]:
    """Return what the token claims. ``keys``: the provider's, as a JWK Set. Raises Unproven."""
    try:
        claims = jwt.decode(
            token,
            key=_key(token, keys),
            algorithms=ALGORITHMS,
            audience=client_id,
            issuer=issuer,
            leeway=LEEWAY,
            options={"require": NEEDED},
        )
    except jwt.PyJWTError as error:
        raise Unproven(type(error).__name__) from error
    for_several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if for_several else client_id) != client_id:
        raise Unproven("WrongParty")
    if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise Unproven("WrongNonce")
    return claims


def _key(token: str, keys: dict[str, Any]) -> jwt.PyJWK:
    """Return the key that the token names; one that names none is signed by the only one there is."""
    wanted = jwt.get_unverified_header(token).get("kid")
    known = [key for key in jwt.PyJWKSet.from_dict(keys).keys if key.public_key_use in (None, "sig")]
    found = [key for key in known if key.key_id == wanted] if wanted else known
    if len(found) != 1:
        raise Unproven("UnknownKey")
    return found[0]
