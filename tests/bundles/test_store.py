"""The verbs of the store: what they keep, what they refuse, and that a refusal changes nothing."""

import pytest

from billing.errors import ApiError
from billing.models import AuditEntry, Plan
from bundles import files, store
from bundles.models import Binary, Bundle, Module, Revision
from bundles.resolve import resolve
from tests.bundles.samples import HEAD, SERVICE, shop, wasm
from tests.conftest import Person

BROKEN = b"name: shop\nservices: [\n"


def counts() -> tuple[int, ...]:
    return (
        Bundle.objects.count(),
        Revision.objects.count(),
        Binary.objects.count(),
        len(list(files.stored())),
    )


def brought(alice: Person, contents: dict[str, bytes] | None = None) -> store.Imported:
    return store.import_files("test", alice.tenant, contents or shop(), message="first")


def test_an_import_makes_a_bundle_with_one_revision(alice: Person) -> None:
    done = brought(alice)
    assert done.created
    assert (done.bundle.name, done.bundle.revision, done.bundle.live_revision) == ("shop", 1, None)
    assert done.bundle.description == "A small shop"
    assert done.problems == []
    assert store.contents_of(done.revision) == shop()
    assert (done.revision.author, done.revision.message) == ("test", "first")


def test_the_module_gets_a_row_to_compile(alice: Person) -> None:
    brought(alice)
    row = Binary.objects.get()
    assert row.sha256 == files.digest(wasm())
    assert (row.state, row.interface) == ("compiling", "plain-i64")
    assert "echo" in row.exports


def test_the_same_name_again_is_a_new_revision_of_the_same_bundle(alice: Person) -> None:
    first = brought(alice)
    second = brought(alice, shop() | {"README.md": b"hello"})
    assert not second.created
    assert second.bundle.pk == first.bundle.pk
    assert second.revision.number == 2
    assert store.contents_of(first.revision) == shop()


def test_the_same_content_imported_again_is_a_new_revision(alice: Person) -> None:
    first = brought(alice)
    again = brought(alice)
    assert (again.created, again.bundle.pk, again.revision.number) == (False, first.bundle.pk, 2)
    assert store.contents_of(again.revision) == store.contents_of(first.revision)


def test_an_edit_that_changes_nothing_is_no_revision(alice: Person) -> None:
    bundle = brought(alice).bundle
    before = counts()
    same = store.put_file("test", bundle, "bundle.yaml", shop()["bundle.yaml"], expected=1)
    assert same.number == 1
    assert counts() == before


def test_errors_are_refused_with_their_places_and_nothing_is_stored(alice: Person) -> None:
    before = counts()
    with pytest.raises(ApiError) as refused:
        brought(alice, shop() | {"bundle.yaml": BROKEN, "unique.txt": b"never stored"})
    assert refused.value.status == 422
    first = refused.value.errors[0]
    assert (first["severity"], first["file"]) == ("error", "bundle.yaml")
    assert first["line"] >= 1
    assert {"column", "message", "hint"} <= first.keys()
    assert counts() == before


def test_a_broken_module_is_an_error_at_its_file(alice: Person) -> None:
    before = counts()
    with pytest.raises(ApiError) as refused:
        brought(alice, shop() | {"wasm/shop.wasm": b"not wasm"})
    assert [error["file"] for error in refused.value.errors] == ["wasm/shop.wasm"]
    assert counts() == before


def test_a_warning_does_not_stop_the_import(alice: Person) -> None:
    contents = shop() | {
        "shop/shop-service.yaml": SERVICE.replace(b"toFunc: wasm:shop:", b"toFunc: wasm:shops:")
    }
    done = brought(alice, contents)
    assert [problem["severity"] for problem in done.problems] == ["warning"]
    assert "shops" in done.problems[0]["message"]
    assert done.revision.errors == 0


def test_an_unknown_function_is_a_warning_at_the_line(alice: Person) -> None:
    contents = shop() | {"shop/shop-service.yaml": SERVICE.replace(b"wasm:shop:echo", b"wasm:shop:ecco", 1)}
    (problem,) = brought(alice, contents).problems
    assert (problem["file"], problem["line"]) == ("shop/shop-service.yaml", 5)
    assert "echo" in problem["message"]


def test_a_module_of_the_registry_serves_a_bundle_that_has_none(alice: Person) -> None:
    own = brought(alice)
    Module.objects.create(tenant=alice.tenant, name="tools", binary_id=files.digest(wasm()))
    contents = shop() | {"shop/shop-service.yaml": SERVICE.replace(b"wasm:shop:", b"wasm:tools:", 1)}
    done = brought(alice, contents)
    assert done.problems == []
    assert resolve(alice.tenant, done.revision)["tools"] == files.digest(wasm())
    assert resolve(alice.tenant, own.revision)["shop"] == files.digest(wasm())


def test_a_module_of_another_tenant_is_not_found(alice: Person, charlie: Person) -> None:
    brought(alice)
    Module.objects.create(tenant=alice.tenant, name="tools", binary_id=files.digest(wasm()))
    contents = shop() | {"shop/shop-service.yaml": SERVICE.replace(b"wasm:shop:", b"wasm:tools:", 1)}
    done = store.import_files("test", charlie.tenant, contents)
    assert "tools" in done.problems[0]["message"]
    assert "tools" not in resolve(charlie.tenant, done.revision)


def test_two_tenants_may_have_the_same_bundle(alice: Person, charlie: Person) -> None:
    first, second = brought(alice), store.import_files("test", charlie.tenant, shop())
    assert second.created
    assert first.bundle.pk != second.bundle.pk


def test_the_plan_limits_modules_and_a_refusal_changes_nothing(alice: Person) -> None:
    Plan.objects.filter(pk=alice.tenant.plan_id).update(modules=1)
    brought(alice)
    before = counts()
    with pytest.raises(ApiError) as refused:
        brought(alice, shop() | {"wasm/other.wasm": wasm(2048)})
    assert refused.value.status == 429
    assert "Retry-After" in refused.value.headers
    assert counts() == before
    assert Bundle.objects.get().revision == 1


def test_a_module_may_be_replaced_at_the_limit(alice: Person) -> None:
    Plan.objects.filter(pk=alice.tenant.plan_id).update(modules=1)
    brought(alice)
    assert brought(alice, shop() | {"wasm/shop.wasm": wasm(2048)}).revision.number == 2


def test_the_modules_of_the_example_do_not_count(alice: Person) -> None:
    """R41: what comes with the platform is no module of the tenant's own."""
    from django.conf import settings

    Plan.objects.filter(pk=alice.tenant.plan_id).update(modules=0)
    sample = (settings.BASE_DIR / "examples/ecommerce/wasm/cart.wasm").read_bytes()
    assert brought(alice, shop() | {"wasm/shop.wasm": sample}).created


def test_a_display_name_is_kept_until_another_is_given(alice: Person) -> None:
    store.import_files("test", alice.tenant, shop(), display_name="  My   shop ")
    brought(alice, shop() | {"a.txt": b"a"})
    assert Bundle.objects.get().display_name == "My shop"


def test_names_that_no_file_may_have_are_refused(alice: Person) -> None:
    for bad in ("../x", "/etc/passwd", "a\\b", "CON", "a/\u202eb", "Bundle.YAML"):
        before = counts()
        with pytest.raises(ApiError) as refused:
            brought(alice, shop() | {bad: b""})
        assert refused.value.status == 422, bad
        assert counts() == before


def test_an_edit_stores_the_bytes_also_with_problems(alice: Person) -> None:
    bundle = brought(alice).bundle
    revision = store.put_file("test", bundle, "bundle.yaml", BROKEN, expected=1)
    assert revision.number == 2
    assert revision.errors >= 1
    assert store.contents_of(revision)["bundle.yaml"] == BROKEN
    assert Bundle.objects.get().name == "shop"


def test_a_stale_edit_is_refused_and_changes_nothing(alice: Person) -> None:
    bundle = brought(alice).bundle
    store.put_file("test", bundle, "a.txt", b"one", expected=1)
    before = counts()
    with pytest.raises(ApiError) as refused:
        store.put_file("test", bundle, "a.txt", b"two", expected=1)
    assert refused.value.status == 412
    assert counts() == before


def test_the_number_is_compared_in_the_database_too(alice: Person) -> None:
    from bundles.author import author
    from bundles.draft import draft

    stale = brought(alice).bundle
    store.put_file("test", Bundle.objects.get(), "a.txt", b"one", expected=1)
    found = draft(alice.tenant, shop() | {"a.txt": b"two"})
    with pytest.raises(ApiError) as refused:
        store.add_revision(author("test", alice.tenant), stale, found, message="")
    assert refused.value.status == 412
    assert Revision.objects.count() == 2


def test_an_edit_may_rename_the_bundle_but_not_onto_another(alice: Person) -> None:
    bundle = brought(alice).bundle
    brought(alice, shop() | {"bundle.yaml": HEAD.replace(b"name: shop", b"name: other")})
    with pytest.raises(ApiError) as refused:
        store.put_file("test", bundle, "bundle.yaml", HEAD.replace(b"shop\n", b"other\n", 1), expected=1)
    assert refused.value.status == 409
    store.put_file("test", bundle, "bundle.yaml", HEAD.replace(b"shop\n", b"store\n", 1), expected=1)
    assert {one.name for one in Bundle.objects.all()} == {"store", "other"}


def test_a_file_can_be_deleted(alice: Person) -> None:
    bundle = brought(alice, shop() | {"a.txt": b"a"}).bundle
    revision = store.delete_file("test", bundle, "a.txt", expected=1)
    assert set(revision.files) == set(shop())
    with pytest.raises(ApiError) as refused:
        store.delete_file("test", bundle, "a.txt", expected=2)
    assert refused.value.status == 404


def test_revert_makes_a_new_revision_of_the_old_files(alice: Person) -> None:
    bundle = brought(alice).bundle
    store.put_file("test", bundle, "bundle.yaml", BROKEN, expected=1)
    bundle.refresh_from_db()
    revision = store.revert("test", bundle, 1)
    assert (revision.number, store.contents_of(revision)) == (3, shop())
    assert "revision 1" in revision.message


def test_reverting_asks_for_no_revision_unless_the_caller_names_one(alice: Person) -> None:
    seen = brought(alice).bundle
    store.put_file("test", seen, "a.txt", b"x", expected=1)
    stale = Bundle.objects.get(pk=seen.pk)
    store.put_file("test", seen, "a.txt", b"y", expected=2)
    with pytest.raises(ApiError) as refused:
        store.revert("test", stale, 1, expected=2)
    assert refused.value.status == 412
    stale.revision = 2
    assert store.revert("test", stale, 1).number == 4


def test_deleting_removes_rows_and_the_sweeper_the_contents(alice: Person) -> None:
    from bundles.sweep import sweep

    bundle = brought(alice, shop() | {"only.txt": b"only here"}).bundle
    store.delete("test", bundle)
    assert not Bundle.objects.exists()
    sweep()
    assert files.digest(b"only here") not in set(files.stored())
    assert not Binary.objects.exists()


def test_the_sweeper_keeps_what_is_needed(alice: Person) -> None:
    from bundles.sweep import sweep

    done = brought(alice)
    files.put(b"left behind by a crash")
    sweep()
    assert store.contents_of(done.revision) == shop()
    assert files.digest(b"left behind by a crash") not in set(files.stored())
    assert Binary.objects.count() == 1


def test_every_change_is_in_the_audit_log(alice: Person) -> None:
    bundle = brought(alice).bundle
    store.put_file("test", bundle, "a.txt", b"a", expected=1)
    store.delete("test", bundle)
    actions = AuditEntry.objects.filter(tenant=alice.tenant, actor="test").order_by("id")
    assert [entry.action for entry in actions] == ["bundle.revise", "bundle.revise", "bundle.delete"]
