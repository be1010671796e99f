"""Short names for the columns of the book's running example, so that a graph of all of them is readable."""

from __future__ import annotations

CREDIT_LABELS: dict[str, str] = {
    "status_of_existing_checking_account": "checking account",
    "duration_in_month": "duration",
    "credit_history": "credit history",
    "purpose": "purpose",
    "credit_amount": "amount",
    "savings_account_and_bonds": "savings",
    "present_employment_since": "employed since",
    "installment_rate_in_percentage_of_disposable_income": "instalment rate",
    "personal_status_and_sex": "status and sex",
    "other_debtors_or_guarantors": "guarantors",
    "present_residence_since": "resident since",
    "property": "property",
    "age_in_years": "age",
    "other_installment_plans": "other plans",
    "housing": "housing",
    "number_of_existing_credits_at_this_bank": "credits here",
    "job": "job",
    "number_of_people_being_liable_to_provide_maintenance_for": "dependants",
    "telephone": "telephone",
    "foreign_worker": "foreign worker",
    "creditability": "credit class",
}
"""Columns of the table credit-g and the names that figures write for them."""
