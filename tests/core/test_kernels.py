"""The cache of compiled kernels: where it is, and when there is something in it."""

from bifrost_lib.core.kernels import cache_folder, has_kernels


def test_empty_folders_are_no_kernels(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert not has_kernels()
    (tmp_path / "d25365dff3bec4d1" / "pricing_31da").mkdir(parents=True)
    assert not has_kernels()
    (tmp_path / "d25365dff3bec4d1" / "pricing_31da" / "price.nbc").write_bytes(b"code")
    assert has_kernels()


def test_the_cache_lies_in_the_home_unless_it_is_chosen(tmp_path, monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setenv("BIFROST_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "cache" / "numba"
