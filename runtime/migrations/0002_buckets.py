import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bundles", "0001_initial"), ("runtime", "0001_initial")]

    operations = [
        migrations.AddField("GoalState", "since", models.DateTimeField(null=True)),
        migrations.CreateModel(
            name="Bucket",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("service", models.CharField(max_length=100)),
                ("name", models.CharField(blank=True, max_length=100)),
                ("signal", models.CharField(blank=True, max_length=100)),
                ("second", models.PositiveBigIntegerField()),
                ("count", models.PositiveBigIntegerField(default=0)),
                ("errors", models.PositiveBigIntegerField(default=0)),
                ("down", models.PositiveBigIntegerField(default=0)),
                ("total", models.FloatField(default=0)),
                ("histogram", models.JSONField(default=dict)),
                (
                    "bundle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="buckets", to="bundles.bundle"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["bundle", "signal", "second"], name="buckets_of_bundle"),
                    models.Index(fields=["second"], name="buckets_by_age"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("bundle", "service", "name", "signal", "second"), name="one_bucket"
                    )
                ],
            },
        ),
    ]
