"""GnuTLS itself, called as its TLS clients call it, at the time of a case."""

from __future__ import annotations

import ctypes as c
import os

from tests.limbo.cases import Case
from tests.support.peers import unavailable

_PEM = 1
_PROFILE_LOW = 2  # of the priority NORMAL; GNUTLS_PROFILE_TO_VFLAGS
_LONGEST = 16  # verify_depth of credentials, asked by gnutls_certificate_verify_peers3 before anything else
_DNS, _PURPOSE = 1, 2  # gnutls_vdata_types_t: GNUTLS_DT_DNS_HOSTNAME, GNUTLS_DT_KEY_PURPOSE_OID
_SERVER_AUTH = b"1.3.6.1.5.5.7.3.1"


class _Datum(c.Structure):
    _fields_ = (("data", c.c_char_p), ("size", c.c_uint))


class _Data(c.Structure):
    """gnutls_typed_vdata_st"""

    _fields_ = (("type", c.c_uint), ("data", c.c_char_p), ("size", c.c_uint))


_Time = c.CFUNCTYPE(c.c_long, c.POINTER(c.c_long))


class Gnutls:
    """The library of this machine, or the one that LIMBO_GNUTLS names."""

    def __init__(self) -> None:
        try:
            self._lib = c.CDLL(os.environ.get("LIMBO_GNUTLS", "libgnutls.so.30"))
        except OSError:
            unavailable("GnuTLS is not installed")
        self._lib.gnutls_check_version.restype = c.c_char_p

    def verdict(self, case: Case) -> tuple[bool, str]:
        """gnutls_x509_trust_list_verify_crt2 with the host name and the purpose of a TLS client."""
        at = int(case.at.timestamp())
        clock = _Time(lambda _: at)
        self._lib.gnutls_global_set_time_function(clock)
        trust = c.c_void_p()
        self._lib.gnutls_x509_trust_list_init(c.byref(trust), 0)
        if (
            self._lib.gnutls_x509_trust_list_add_trust_mem(trust, self._datum("\n".join(case.roots)), None, _PEM, 0, 0)
            < 0
        ):
            return False, "the roots cannot be read"
        if len(case.chain) > _LONGEST:
            return False, "the chain is too long"
        chain = self._chain(case)
        if chain is None:
            return False, "the chain cannot be read"
        return self._judged(trust, chain, case.host)

    def _judged(self, trust: c.c_void_p, chain: c.Array[c.c_void_p], host: str | None) -> tuple[bool, str]:
        data = [_Data(_PURPOSE, _SERVER_AUTH, 0)]
        if host is not None:
            data.append(_Data(_DNS, host.encode(), 0))
        status = c.c_uint()
        listed = (_Data * len(data))(*data)
        code = self._lib.gnutls_x509_trust_list_verify_crt2(
            trust, chain, len(chain), listed, len(data), _PROFILE_LOW << 24, c.byref(status), None
        )
        return code == 0 and status.value == 0, f"code {code}, status {status.value:#x}"

    def _chain(self, case: Case) -> c.Array[c.c_void_p] | None:
        certificates = (c.c_void_p * len(case.chain))()
        for number, pem in enumerate(case.chain):
            certificate = c.c_void_p()
            self._lib.gnutls_x509_crt_init(c.byref(certificate))
            if self._lib.gnutls_x509_crt_import(certificate, self._datum(pem), _PEM) < 0:
                return None
            certificates[number] = certificate
        return certificates

    @staticmethod
    def _datum(pem: str) -> c._Pointer[_Datum]:
        return c.pointer(_Datum(pem.encode(), len(pem)))
