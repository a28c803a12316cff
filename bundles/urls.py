"""Pages of the bundles floor, and the webhook of Git servers."""

from django.urls import path

from bundles import views, views_bundle, views_files, views_modules, views_revisions, webhook

app_name = "bundles"
ONE = "bundles/<uuid:bundle_id>"
urlpatterns = [
    path("webhooks/git/<uuid:bundle_id>", webhook.git_hook, name="hook"),
    path("bundles", views.bundle_list, name="list"),
    path("bundles/import/zip", views.upload, name="upload"),
    path("bundles/import/git", views.import_git, name="import_git"),
    path("bundles/import/example", views.example, name="example"),
    path("bundles/import/<uuid:job_id>", views.job, name="job"),
    path(ONE, views_bundle.detail, name="detail"),
    path(f"{ONE}/contracts", views_bundle.contracts, name="contracts"),
    path(f"{ONE}/problems", views_bundle.problems, name="problems"),
    path(f"{ONE}/declared-tests", views_bundle.declared, name="declared"),
    path(f"{ONE}/settings", views_bundle.manage, name="manage"),
    path(f"{ONE}/settings/update", views_bundle.update, name="update"),
    path(f"{ONE}/settings/hook", views_bundle.hook, name="make_hook"),
    path(f"{ONE}/settings/delete", views_bundle.delete, name="delete"),
    path(f"{ONE}/files", views_files.file_list, name="files"),
    path(f"{ONE}/new-file", views_files.new_file, name="new_file"),
    path(f"{ONE}/add-file", views_files.add_file, name="add_file"),
    path(f"{ONE}/files/<path:path>", views_files.file, name="file"),
    path(f"{ONE}/download/<path:path>", views_files.download, name="download"),
    path(f"{ONE}/delete-file/<path:path>", views_files.delete_file, name="delete_file"),
    path(f"{ONE}/revisions", views_revisions.revisions, name="revisions"),
    path(f"{ONE}/revisions/<int:number>", views_revisions.revision, name="revision"),
    path(f"{ONE}/revisions/<int:number>/revert", views_revisions.revert, name="revert"),
    path(f"{ONE}/export", views_revisions.export, name="export"),
    path("modules", views_modules.modules, name="modules"),
    path("modules/<uuid:module_id>/delete", views_modules.delete_module, name="delete_module"),
    path("modules/<uuid:module_id>/retry", views_modules.retry_module, name="retry_module"),
]
