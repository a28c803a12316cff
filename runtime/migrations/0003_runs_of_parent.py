from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("runtime", "0002_buckets")]

    operations = [
        migrations.AddIndex(
            "Execution",
            models.Index(fields=["parent"], name="runs_of_parent", condition=models.Q(parent__isnull=False)),
        ),
    ]
