"""REST of the bundles floor: a router for each subject."""

from ninja import Router

from bundles.api_bundles import router as bundles_router
from bundles.api_files import router as files_router
from bundles.api_git import router as git_router
from bundles.api_modules import router as modules_router
from bundles.api_prompts import router as prompts_router
from bundles.api_revisions import router as revisions_router

router = Router()
# git comes first, or /bundles/{bundle_id} would answer for /bundles/git
subjects = (git_router, bundles_router, files_router, revisions_router, modules_router, prompts_router)
for part in subjects:
    router.add_router("", part)
