import django.db.models.deletion
from django.db import migrations, models

import billing.ids


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0003_variables"),
    ]

    operations = [
        migrations.CreateModel(
            name="Journal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key", models.CharField(max_length=200, unique=True)),
                ("kind", models.CharField(max_length=20)),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("note", models.CharField(blank=True, max_length=500)),
                ("actor", models.CharField(blank=True, max_length=200)),
            ],
            options={"verbose_name_plural": "journal", "ordering": ("-id",)},
        ),
        migrations.AddField(
            model_name="plan",
            name="starter_credits",
            field=models.PositiveIntegerField(default=0, verbose_name="credits of a new tenant"),
        ),
        migrations.CreateModel(
            name="Wallet",
            fields=[
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="wallet",
                        serialize=False,
                        to="billing.tenant",
                    ),
                ),
                ("balance", models.BigIntegerField(default=0)),
                ("held", models.BigIntegerField(default=0, verbose_name="held in escrow")),
                ("low_at", models.PositiveBigIntegerField(default=10, verbose_name="told when below")),
                ("warned", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("tenant",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("balance__gte", 0), ("balance__lte", 10**15)),
                        name="wallet_never_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("held__gte", 0), ("held__lte", 10**15)),
                        name="escrow_never_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ExecutionQuota",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("period", models.CharField(max_length=10)),
                ("taken", models.PositiveBigIntegerField(default=0)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="quotas",
                        to="billing.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ("-period",),
                "constraints": [models.UniqueConstraint(fields=("tenant", "period"), name="one_quota")],
            },
        ),
        migrations.CreateModel(
            name="Leg",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "account",
                    models.CharField(
                        choices=[
                            ("wallet", "Wallet"),
                            ("escrow", "Escrow"),
                            ("revenue", "Revenue"),
                            ("purchases", "Purchases"),
                            ("grants", "Grants"),
                        ],
                        max_length=10,
                    ),
                ),
                ("amount", models.BigIntegerField()),
                ("after", models.BigIntegerField(null=True)),
                (
                    "journal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="legs",
                        to="billing.journal",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="billing.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("account", "wallet")),
                        fields=["tenant", "-id"],
                        name="leg_of_statement",
                    ),
                    models.Index(
                        condition=models.Q(("account", "wallet")),
                        fields=["tenant", "journal"],
                        name="leg_since",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount", 0), _negated=True), name="leg_moves_something"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("account__in", ("wallet", "escrow")), _negated=True),
                            ("tenant__isnull", False),
                            _connector="OR",
                        ),
                        name="leg_has_its_owner",
                    ),
                ],
            },
        ),
    ]
