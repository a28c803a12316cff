"""The pages of bundles and modules: what they show, what they do, and who may."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from billing.access import of_key
from bundles import jobs, store, wake
from bundles.author import Author
from bundles.models import Bundle, Module, Revision
from tests.bundles.samples import HEAD, SERVICE, shop, wasm, zipped
from tests.conftest import Person

HTMX = {"HX-Request": "true"}
EVIL = '<img src=x onerror="alert(1)">'


@pytest.fixture
def bundle(alice: Person) -> Bundle:
    return store.import_files("test", alice.tenant, shop()).bundle


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    tasks: list[tuple[str, ...]] = []
    monkeypatch.setattr(wake, "send", lambda task, *args: tasks.append((task, *args)))
    return tasks


def pages(bundle: Bundle) -> list[str]:
    one = f"/bundles/{bundle.pk}"
    parts = ("", "/contracts", "/problems", "/files", "/files/bundle.yaml", "/files/wasm/shop.wasm")
    parts += (
        "/revisions",
        "/revisions/1",
        "/declared-tests",
        "/settings",
        "/export",
        "/download/bundle.yaml",
    )
    return [one + part for part in parts]


def text(client: Client, url: str, status: int = 200, **options: Any) -> str:
    answer = client.get(url, **options)
    assert answer.status_code == status, url
    return str(answer.content.decode())


def zip_file(contents: dict[str, bytes]) -> SimpleUploadedFile:
    return SimpleUploadedFile("x.zip", zipped(contents))


def test_an_empty_list_says_what_to_do(alice: Person) -> None:
    page = text(alice.client, "/bundles")
    assert "No bundles yet" in page
    for words in ("Add Bundle", "From Git", "Upload ZIP", "Start from the example", "Import from Git"):
        assert words in page


def test_a_viewer_sees_no_buttons_that_would_be_refused(alice: Person, bob: Person, bundle: Bundle) -> None:
    page = text(bob.client, "/bundles")
    assert "shop" in page
    assert "Add Bundle" not in page
    assert "Delete this bundle" not in text(bob.client, f"/bundles/{bundle.pk}/settings")


def test_every_page_of_a_bundle_opens(alice: Person, bundle: Bundle) -> None:
    for url in pages(bundle):
        assert alice.client.get(url).status_code == 200, url


def test_charlie_finds_none_of_them(alice: Person, charlie: Person, bundle: Bundle) -> None:
    for url in pages(bundle):
        assert charlie.client.get(url).status_code == 404, url
    assert "A small shop" not in text(charlie.client, "/bundles")


def test_strangers_are_sent_to_sign_in(bundle: Bundle) -> None:
    for url in [*pages(bundle), "/bundles", "/modules"]:
        assert Client().get(url).status_code == 302, url


def test_nothing_is_inline(alice: Person, bundle: Bundle) -> None:
    for url in [*pages(bundle)[:-2], "/bundles", "/modules"]:
        page = text(alice.client, url)
        assert not re.search(r"<script(?![^>]*src=)", page), url
        assert not re.search(r"\sstyle=|\son[a-z]+=\"", page.replace("data-on", "")), url


def test_a_zip_is_uploaded_from_the_dialog(alice: Person) -> None:
    answer = alice.client.post(
        "/bundles/import/zip", {"file": zip_file(shop()), "name": "Mine"}, headers=HTMX
    )
    assert answer["HX-Redirect"] == "/bundles"
    assert "Mine" in text(alice.client, "/bundles")


def test_problems_are_shown_in_the_dialog_with_their_lines(alice: Person) -> None:
    bad = shop() | {"shop/shop-service.yaml": SERVICE + b"      nonsense\n"}
    answer = alice.client.post("/bundles/import/zip", {"file": zip_file(bad)}, headers=HTMX)
    assert "shop/shop-service.yaml:" in answer.content.decode()
    plain = alice.client.post("/bundles/import/zip", {"file": zip_file(bad)})
    assert plain.status_code == 422
    assert "shop/shop-service.yaml:" in plain.content.decode()
    assert not Bundle.objects.exists()


def test_what_is_no_zip_is_told_once_and_without_a_place(alice: Person) -> None:
    body = {"file": SimpleUploadedFile("x.zip", b"hello")}
    page = alice.client.post("/bundles/import/zip", body, headers=HTMX).content.decode()
    assert page.count("this is not a ZIP file") == 1
    assert ":1:1" not in page
    assert not Bundle.objects.exists()


def test_the_example_is_one_click_away(alice: Person) -> None:
    assert alice.client.post("/bundles/import/example").status_code == 302
    bundle = Bundle.objects.get()
    page = text(alice.client, f"/bundles/{bundle.pk}")
    assert page.count('class="row-details"') >= 14
    assert "/alice/api/v1/catalog/products" in page


def test_a_git_import_is_queued_and_its_progress_shown(
    alice: Person, clean_redis: None, sent: list[tuple[str, ...]]
) -> None:
    given = {"url": "https://example.org/shop.git", "token": "s3cret"}
    page = alice.client.post("/bundles/import/git", given, headers=HTMX).content.decode()
    (where,) = re.findall(r'hx-get="(/bundles/import/[0-9a-f-]+)"', page)
    assert [task[0] for task in sent] == ["bundles.git_import"]
    assert "importing" in text(alice.client, where, headers=HTMX)
    job = jobs.get(alice.tenant.pk, where.rsplit("/", 1)[1])
    assert job is not None
    error = {"severity": "error", "file": "bundle.yaml", "line": 3, "column": 1, "message": EVIL, "hint": ""}
    jobs.put(str(alice.tenant.pk), job | {"state": "failed", "text": "No", "errors": [error]})  # type: ignore[arg-type]
    told = text(alice.client, where, headers=HTMX)
    assert "bundle.yaml:3:1" in told
    assert EVIL not in told


def test_a_job_of_another_tenant_is_unknown(
    alice: Person, charlie: Person, clean_redis: None, sent: list[tuple[str, ...]]
) -> None:
    from bundles.origin import Repository

    job = jobs.ask(Author(of_key(alice.key)), Repository("https://example.org/x.git"), name=None)
    assert "no longer known" in text(charlie.client, f"/bundles/import/{job['id']}", headers=HTMX)


def test_contracts_tell_where_each_value_comes_from(alice: Person, bundle: Bundle) -> None:
    page = text(alice.client, f"/bundles/{bundle.pk}/contracts")
    assert re.search(r"priority</code></th><td[^>]*>high</td><td[^>]*>goal Fast", page)
    assert re.search(r"By default:.*computeUnits</code> 100", page)


def test_problems_link_to_their_lines(alice: Person, bundle: Bundle) -> None:
    store.put_file("test", bundle, "bundle.yaml", HEAD + b"nonsense: 1\n", expected=1)
    page = text(alice.client, f"/bundles/{bundle.pk}/problems")
    assert f'href="/bundles/{bundle.pk}/files/bundle.yaml#L5"' in page


def save(person: Person, bundle: Bundle, body: str, expected: int) -> Any:
    return person.client.post(f"/bundles/{bundle.pk}/files/bundle.yaml", {"text": body, "expected": expected})


def test_saving_makes_a_revision_with_the_line_ends_of_the_file(alice: Person, bundle: Bundle) -> None:
    assert save(alice, bundle, HEAD.decode().replace("\n", "\r\n") + "# x\r\n", 1).status_code == 302
    assert store.contents_of(Revision.objects.get(number=2))["bundle.yaml"] == HEAD + b"# x\n"
    assert Revision.objects.get(number=2).author == alice.email


def test_saving_what_is_there_makes_no_revision_and_says_so(alice: Person, bundle: Bundle) -> None:
    assert save(alice, bundle, HEAD.decode(), 1).status_code == 302
    assert "Nothing changed: this is revision 1." in text(alice.client, f"/bundles/{bundle.pk}/files")
    assert Bundle.objects.get().revision == 1


def test_a_conflict_keeps_the_text_and_shows_what_differs(alice: Person, bundle: Bundle) -> None:
    store.put_file("test", bundle, "bundle.yaml", HEAD + b"# theirs\n", expected=1)
    answer = save(alice, bundle, HEAD.decode() + "# mine\n", 1)
    page = answer.content.decode()
    assert answer.status_code == 412
    assert "# mine" in page
    assert "-# theirs" in page
    assert 'name="expected" value="2"' in page
    assert Bundle.objects.get().revision == 2


def test_a_viewer_cannot_save(alice: Person, bob: Person, bundle: Bundle) -> None:
    assert save(bob, bundle, "x", 1).status_code == 403
    assert "readonly" in text(bob.client, f"/bundles/{bundle.pk}/files/bundle.yaml")
    for verb in ("settings/delete", "settings/hook", "settings/update", "revisions/1/revert", "add-file"):
        assert bob.client.post(f"/bundles/{bundle.pk}/{verb}", {"name": "shop"}).status_code == 403, verb
    assert Bundle.objects.get().revision == 1


def test_the_first_line_of_a_file_may_be_empty(alice: Person, bundle: Bundle) -> None:
    store.put_file("test", bundle, "a.txt", b"\n\nthird", expected=1)
    assert ">&#10;\n\nthird</textarea>" in text(alice.client, f"/bundles/{bundle.pk}/files/a.txt")


def test_files_come_and_go(alice: Person, bundle: Bundle) -> None:
    one = f"/bundles/{bundle.pk}"
    answer = alice.client.get(f"{one}/new-file", {"path": "tests/a b.yaml"})
    assert answer["Location"] == f"{one}/files/tests/a%20b.yaml"
    assert "A new file" in text(alice.client, answer["Location"])
    upload = SimpleUploadedFile("../x.bin", b"\0\1")
    alice.client.post(f"{one}/add-file", {"file": upload, "path": "data/x.bin"})
    assert alice.client.get(f"{one}/download/data/x.bin").content == b"\0\1"
    alice.client.post(f"{one}/delete-file/data/x.bin", {"expected": 2})
    assert Bundle.objects.get().revision == 3
    assert alice.client.get(f"{one}/download/data/x.bin").status_code == 404


def test_a_revision_shows_its_changes_and_can_be_taken_back(alice: Person, bundle: Bundle) -> None:
    store.put_file("test", bundle, "bundle.yaml", HEAD + b"# more\n", expected=1)
    shown = text(alice.client, f"/bundles/{bundle.pk}/revisions/2")
    assert "+# more" in shown
    assert "+++ " not in shown
    assert "+# more" in text(alice.client, f"/bundles/{bundle.pk}/revisions/1?against=newest")
    alice.client.post(f"/bundles/{bundle.pk}/revisions/1/revert")
    assert store.contents_of(Revision.objects.get(number=3)) == shop()


def test_deleting_needs_the_name_typed(alice: Person, bundle: Bundle) -> None:
    url = f"/bundles/{bundle.pk}/settings/delete"
    alice.client.post(url, {"name": "sho"})
    assert Bundle.objects.exists()
    alice.client.post(url, {"name": "shop"})
    assert not Bundle.objects.exists()


def test_a_webhook_secret_is_shown_once(alice: Person, bundle: Bundle) -> None:
    Bundle.objects.update(source={"git": "https://example.org/x.git", "branch": "main", "commit": "1" * 40})
    url = f"/bundles/{bundle.pk}/settings"
    page = alice.client.post(f"{url}/hook", {"deploy": "on"}).content.decode()
    (secret,) = re.findall(r'id="hook-secret"[^>]*>([^<]+)<', page)
    assert secret not in text(alice.client, url)
    assert Bundle.objects.get().source["deploy"] is True


def test_modules_are_uploaded_and_deleted(alice: Person, bob: Person) -> None:
    assert "No modules yet" in text(alice.client, "/modules")
    alice.client.post("/modules", {"file": SimpleUploadedFile("tools.wasm", wasm())})
    page = text(alice.client, "/modules")
    assert "tools" in page
    assert "plain-i64" in page
    assert "hx-trigger" in page
    url = f"/modules/{Module.objects.get().pk}/delete"
    assert bob.client.post(url).status_code == 403
    assert Module.objects.exists()
    alice.client.post(url)
    assert not Module.objects.exists()


def test_a_bad_module_says_why(alice: Person, bob: Person) -> None:
    answer = alice.client.post("/modules", {"file": SimpleUploadedFile("tools.wasm", b"nope")})
    assert answer.status_code == 422
    assert "WebAssembly" in answer.content.decode()
    assert bob.client.post("/modules", {"file": SimpleUploadedFile("t.wasm", wasm())}).status_code == 403
    assert not Module.objects.exists()


def test_texts_of_strangers_stay_texts(alice: Person) -> None:
    yaml = HEAD.replace(b"A small shop", f"'{EVIL}'".encode()) + f"'{EVIL}': 1\n".encode()
    service = SERVICE.replace(b"name: list", f"name: '{EVIL}'".encode())
    files = shop() | {"bundle.yaml": yaml, "shop/shop-service.yaml": service, "img.txt": EVIL.encode()}
    bundle = store.import_files("test", alice.tenant, files, display_name=EVIL, message=EVIL).bundle
    for url in [*pages(bundle)[:-2], f"/bundles/{bundle.pk}/files/img.txt", "/bundles"]:
        page = text(alice.client, url)
        assert EVIL not in page, url
        assert "<img" not in page, url


@pytest.mark.parametrize("expected", ["abc", "", "٣x", "1.5"])
def test_a_delete_that_names_no_revision_is_told_and_deletes_nothing(
    alice: Person, bundle: Bundle, expected: str
) -> None:
    url = f"/bundles/{bundle.pk}/delete-file/wasm/shop.wasm"
    assert alice.client.post(url, {"expected": expected}).status_code == 302
    assert "which revision" in text(alice.client, f"/bundles/{bundle.pk}/files")
    bundle.refresh_from_db()
    assert bundle.revision == 1
