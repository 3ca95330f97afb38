"""Real standards may have pictures of the operator's own."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the name of the picture."""
    op.add_column("standards", sa.Column("file", sa.String(), nullable=True))
